// SPDX-License-Identifier: ISC
// crypto/ecdsa.hpp: key pairs and signatures of ECDSA on P-256 with SHA-256.
//
// Source:  FIPS 186-4 section 6, with a random number for each signature (not RFC 6979).
// Time:    the same for every key.   Memory: 22 KiB of stack, no heap.
// Errors:  a secret outside 1 to order - 1 is a bug: panic.   May include: base.

#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/entropy.hpp"
#include "crypto/nist_curves.hpp"

namespace crypto {

using P256Signature = std::array<std::uint8_t, 64>;  // r and s, big-endian

// From 1 to order - 1, all as likely.
[[nodiscard]] P256::Bytes make_p256_secret(base::Entropy& entropy) noexcept;
[[nodiscard]] bool is_p256_secret(const P256::Bytes& secret) noexcept;
[[nodiscard]] P256Signature ecdsa_p256_sign(const P256::Bytes& secret, base::Bytes message,
                                            base::Entropy& entropy) noexcept;

}  // namespace crypto
