// SPDX-License-Identifier: ISC
// tls/sha2_hook.cpp: mbedTLS's SHA-2 compresses with crypto's. mbedTLS has places for that
// (MBEDTLS_SHA256_PROCESS_ALT, MBEDTLS_SHA512_PROCESS_ALT).

#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "crypto/hash.hpp"

extern "C" int mbedtls_internal_sha256_process(mbedtls_sha256_context* context,
                                               const unsigned char block[64]) {
  crypto::sha256_compress(context->MBEDTLS_PRIVATE(state), block);
  return 0;
}

extern "C" int mbedtls_internal_sha512_process(mbedtls_sha512_context* context,
                                               const unsigned char block[128]) {
  crypto::sha512_compress(context->MBEDTLS_PRIVATE(state), block);
  return 0;
}
