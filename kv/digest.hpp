// SPDX-License-Identifier: ISC
// kv/digest.hpp: the short form of SHA-256 that stores and entity tags use, and hexadecimal.
//
// States:  digest_of, append_hex, hex_of.   Used by: kv/*, crunch.
// May include: kv/kv.hpp, crypto/hash.hpp.

#pragma once

#include <string>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "kv/kv.hpp"

namespace kv {

// The kv::Digest of a representation: the first half of its SHA-256, in hexadecimal.
[[nodiscard]] Digest digest_of(Bytes bytes) noexcept;
[[nodiscard]] Digest digest_of(const crypto::Sha256Bytes& sha256) noexcept;

// Appends `bytes` in lower-case hexadecimal.
void append_hex(std::string& out, Bytes bytes);
[[nodiscard]] std::string hex_of(Bytes bytes);

}  // namespace kv
