// SPDX-License-Identifier: ISC
// crypto/hash.hpp: SHA-2 and what is built on it. The only SHA-256 of the tree.
//
// States:  Hash, Sha256, digest_of, hmac, hkdf_extract, hkdf_expand, the compression functions.
// Source:  FIPS 180-4, RFC 2104, RFC 5869.   Errors: none; nothing here allocates.
// May include: base.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace crypto {

enum class Hash : std::uint8_t { sha256, sha384, sha512 };
[[nodiscard]] constexpr std::size_t hash_bytes(Hash hash) {
  return hash == Hash::sha256 ? 32 : hash == Hash::sha384 ? 48 : 64;
}
inline constexpr std::size_t hash_bytes_max = 64;

using Sha256Bytes = std::array<std::byte, 32>;

// Digests bytes that come in pieces of any size.
class Sha256 {
 public:
  Sha256() noexcept;
  void update(base::Bytes bytes) noexcept;
  // The digest of all bytes so far. Call it once; no call may follow it.
  [[nodiscard]] Sha256Bytes finish() noexcept;

 private:
  static constexpr std::size_t state_bytes = 112;  // nettle's sha256_ctx, checked in the .cpp
  alignas(8) std::array<std::byte, state_bytes> state_;
};

[[nodiscard]] Sha256Bytes sha256_of(base::Bytes bytes) noexcept;

// `out` has hash_bytes(hash) bytes, here and below.
void digest(Hash hash, base::Bytes bytes, base::MutableBytes out) noexcept;
void hmac(Hash hash, base::Bytes key, base::Bytes message, base::MutableBytes out) noexcept;
void hkdf_extract(Hash hash, base::Bytes salt, base::Bytes secret, base::MutableBytes out) noexcept;

// `key` is what hkdf_extract gave, or as good; `out` has at most 255 * hash_bytes(hash) bytes.
void hkdf_expand(Hash hash, base::Bytes key, base::Bytes info, base::MutableBytes out) noexcept;

// One block into a state of eight words: for a library that has the rest of SHA-2 itself.
void sha256_compress(std::uint32_t* state, const unsigned char* block) noexcept;
void sha512_compress(std::uint64_t* state, const unsigned char* block) noexcept;

}  // namespace crypto
