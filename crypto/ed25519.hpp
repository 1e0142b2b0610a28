// SPDX-License-Identifier: ISC
// crypto/ed25519.hpp: Ed25519 signatures.
//
// Source:  RFC 8032.   Time: signing takes the same time for every key.
// Memory:  22 KiB of stack, no heap.   May include: base.

#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.hpp"

namespace crypto {

using Ed25519Key = std::array<std::byte, 32>;  // a private or a public one
using Ed25519Signature = std::array<std::byte, 64>;

[[nodiscard]] Ed25519Key ed25519_public_key(const Ed25519Key& private_key);
[[nodiscard]] Ed25519Signature ed25519_sign(const Ed25519Key& private_key, base::Bytes message);
[[nodiscard]] bool ed25519_verify(const Ed25519Key& public_key, base::Bytes message,
                                  const Ed25519Signature& signature);

}  // namespace crypto
