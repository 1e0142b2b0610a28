// SPDX-License-Identifier: ISC
// crypto/rsa.hpp: RSA signatures with a private key.
//
// Source:  RFC 8017 sections 5.2.1, 8.1.1 and 8.2.1.
// Time:    depends on the sizes of the key's numbers only.   Memory: 50 KiB of stack, no heap.
// Errors:  a key that is not as RsaKey says, or a result that is wrong.
// Invariants: 1. The signature is checked with the public key before a byte of it is written: half
//                a wrong one would give away a prime (Boneh, DeMillo and Lipton 1997).
//             2. What is raised to a secret power is blinded anew each time.
// Used by: tls/rsa_hook.cpp.   May include: base.

#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/entropy.hpp"
#include "crypto/hash.hpp"

namespace crypto {

// RFC 8017 section 3.2. Big-endian; borrowed.
struct RsaKey {
  static constexpr std::size_t modulus_bytes_min = 256;
  static constexpr std::size_t modulus_bytes_max = 512;

  base::Bytes modulus;          // 2048 to 4096 bits: a multiple of 16 bytes
  base::Bytes public_exponent;  // up to 8 bytes; odd
  base::Bytes p;                // a prime of half the modulus' bytes; likewise the four below
  base::Bytes q;
  base::Bytes d_mod_p;    // d mod (p - 1)
  base::Bytes d_mod_q;    // d mod (q - 1)
  base::Bytes q_inverse;  // of q modulo p

  // The sizes above, and that the primes are odd. Keys of other shapes are rare.
  [[nodiscard]] bool is_supported() const;
};

enum class RsaPadding : std::uint8_t {
  pkcs1,  // RSASSA-PKCS1-v1_5
  pss,    // RSASSA-PSS with MGF1; the salt is as long as the digest
};

// Signs `digest`, which `hash` made of the message. `signature` has the modulus' size. False, and
// zeros: the key is not supported, its numbers do not fit together, or the processor erred.
[[nodiscard]] bool rsa_sign(const RsaKey& key, RsaPadding padding, Hash hash, base::Bytes digest,
                            base::Entropy& entropy, base::MutableBytes signature);

}  // namespace crypto
