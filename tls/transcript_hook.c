// SPDX-License-Identifier: ISC
// tls/transcript_hook.c: what mbedTLS hashes a handshake's messages by (tls/handshake_state.cpp).
//
// In C, as mbedTLS's internal header is no C++.

#include <ssl_misc.h>

typedef int (*crunch_hash_message)(mbedtls_ssl_context*, const unsigned char*, size_t);

crunch_hash_message* crunch_message_hash(mbedtls_ssl_context* ssl) {
  return &ssl->handshake->update_checksum;
}
