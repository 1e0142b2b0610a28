// SPDX-License-Identifier: ISC
// tls/sha256_hook.cpp: mbedTLS's SHA-256, with nettle's compression, which takes the processor's
// instructions for it where they are. mbedTLS offers the place (MBEDTLS_SHA256_PROCESS_ALT).

#include <mbedtls/sha256.h>
#include <nettle/sha2.h>

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

extern "C" int mbedtls_internal_sha256_process(mbedtls_sha256_context* context,
                                               const unsigned char block[64]) {
  static_assert(SHA256_BLOCK_SIZE == 64);
  auto& state = context->MBEDTLS_PRIVATE(state);
  // A context at the edge of a block takes a whole one at once. What it counts is not used.
  sha256_ctx nettles;
  nettles.count = 0;
  nettles.index = 0;
  std::copy(std::begin(state), std::end(state), nettles.state);
  sha256_update(&nettles, SHA256_BLOCK_SIZE, block);
  CHECK(nettles.index == 0);
  std::copy(std::begin(nettles.state), std::end(nettles.state), state);
  return 0;
}
