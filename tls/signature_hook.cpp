// SPDX-License-Identifier: ISC
// tls/signature_hook.cpp: mbedTLS's server of TLS 1.2 signs with PSS, too (tls/signature_hook.h).

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>

#include "tls/handshake_state.hpp"

extern "C" {
using Random = int (*)(void*, unsigned char*, size_t);
int crunch_sign_1_2(mbedtls_ssl_context* ssl, mbedtls_pk_context* key, mbedtls_md_type_t hash,
                    const unsigned char* digest, size_t digest_bytes, unsigned char* signature,
                    size_t signature_bytes_max, size_t* signature_bytes, Random random,
                    void* random_context);
}

// The algorithm stands before the signature already: its hash and its kind, which PSS has the other
// way round (RFC 8446 section 4.2.3).
int crunch_sign_1_2(mbedtls_ssl_context* ssl, mbedtls_pk_context* key, mbedtls_md_type_t hash,
                    const unsigned char* digest, size_t digest_bytes, unsigned char* signature,
                    size_t signature_bytes_max, size_t* signature_bytes,
                    int (*random)(void*, unsigned char*, size_t), void* random_context) {
  const auto& state = *static_cast<const tls::HandshakeState*>(ssl->MBEDTLS_PRIVATE(p_bio));
  if (!state.signs_with_pss() || mbedtls_pk_get_type(key) != MBEDTLS_PK_RSA) {
    return mbedtls_pk_sign(key, hash, digest, digest_bytes, signature, signature_bytes_max,
                           signature_bytes, random, random_context);
  }
  unsigned char* const algorithm =
      ssl->MBEDTLS_PRIVATE(out_msg) + ssl->MBEDTLS_PRIVATE(out_msglen) - 2;
  algorithm[1] = algorithm[0];  // SHA-256 is 4 in both
  algorithm[0] = 8;
  return mbedtls_pk_sign_ext(MBEDTLS_PK_RSASSA_PSS, key, hash, digest, digest_bytes, signature,
                             signature_bytes_max, signature_bytes, random, random_context);
}
