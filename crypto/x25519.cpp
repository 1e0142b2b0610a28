// SPDX-License-Identifier: ISC
// crypto/x25519.cpp: libsodium does the work.
#include "crypto/x25519.hpp"

#include <sodium/core.h>
#include <sodium/crypto_scalarmult_curve25519.h>
#include <cstdlib>

// What libsodium calls where it is used wrongly, which is not done here. Its own is beside what
// prepares all of the library: 80 KB of other algorithms.
extern "C" void sodium_misuse() { std::abort(); }

namespace crypto {

X25519Bytes x25519(const X25519Bytes& scalar, const X25519Bytes& u) noexcept {
  static constexpr X25519Bytes base{9};
  X25519Bytes product{};
  // Multiples of the base point come from a table, in half the time.
  const int failed = u == base
                         ? crypto_scalarmult_curve25519_base(product.data(), scalar.data())
                         : crypto_scalarmult_curve25519(product.data(), scalar.data(), u.data());
  if (failed != 0) product.fill(0);
  return product;
}

}  // namespace crypto
