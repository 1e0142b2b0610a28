// SPDX-License-Identifier: ISC
// kv/digest.hpp: SHA-256 (FIPS 180-4) and the short form of it that stores and entity tags use.
//
// States:  Sha256, digest_of, append_hex.   Used by: kv/*, crunch.   May include: kv/kv.hpp.
// Links:   libcrypto's SHA256_* calls, which pull 20 KB into a static image; its EVP layer would
//          pull 3 MB. An image whose only store is kv::Crunched links neither.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "kv/kv.hpp"

namespace kv {

using Sha256Bytes = std::array<std::byte, 32>;

// Digests bytes that come in pieces of any size.
class Sha256 {
 public:
  Sha256() noexcept;
  void update(Bytes bytes) noexcept;
  // The digest of all that was given; once. Nothing may follow it.
  [[nodiscard]] Sha256Bytes finish() noexcept;

 private:
  static constexpr std::size_t state_bytes = 112;  // sizeof(SHA256_CTX), checked in the .cpp
  alignas(8) std::array<std::byte, state_bytes> state_;
};

[[nodiscard]] Sha256Bytes sha256_of(Bytes bytes) noexcept;

// The kv::Digest of a representation: the first half of its SHA-256, in hexadecimal.
[[nodiscard]] Digest digest_of(Bytes bytes) noexcept;
[[nodiscard]] Digest digest_of(const Sha256Bytes& sha256) noexcept;

// Appends `bytes` in lower-case hexadecimal.
void append_hex(std::string& out, Bytes bytes);
[[nodiscard]] std::string hex_of(Bytes bytes);

}  // namespace kv
