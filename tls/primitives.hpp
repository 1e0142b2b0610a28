// SPDX-License-Identifier: ISC
// tls/primitives.hpp: what the record layer takes from mbedTLS, without its headers.
//
// States:  Hash, expand_label, ChaCha20-Poly1305, PortableGcm, wipe.
// Source:  RFC 8446 section 7.1, RFC 8439, NIST SP 800-38D.
// May include: base.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/aes_gcm.hpp"

namespace tls {

using crypto::Nonce;
using crypto::Tag;

enum class Hash : std::uint8_t { sha256, sha384 };
[[nodiscard]] constexpr std::size_t hash_bytes(Hash hash) { return hash == Hash::sha256 ? 32 : 48; }
inline constexpr std::size_t hash_bytes_max = 48;

// HKDF-Expand-Label with an empty context; the label has at most 16 letters, and `out` at most
// hash_bytes(hash). Allocates nothing.
void expand_label(Hash hash, base::Bytes secret, std::string_view label, base::MutableBytes out);

// The pieces, one after another, as ciphertext at `out`; then the tag.
void chacha20_seal(base::Bytes key, const Nonce& nonce, base::Bytes associated,
                   std::span<const base::Bytes> pieces, std::byte* out);
// False: the tag is wrong, and `out` means nothing. `sealed` ends in the tag.
[[nodiscard]] bool chacha20_open(base::Bytes key, const Nonce& nonce, base::Bytes associated,
                                 base::Bytes sealed, std::byte* out);

// AES-GCM on processors without AES instructions: slow, and its look-ups are in tables.
class PortableGcm {
 public:
  explicit PortableGcm(base::Bytes key);  // throws std::bad_alloc
  ~PortableGcm();
  PortableGcm(const PortableGcm&) = delete;
  PortableGcm& operator=(const PortableGcm&) = delete;
  void seal(const Nonce& nonce, base::Bytes associated, std::span<const base::Bytes> pieces,
            std::byte* out);
  [[nodiscard]] bool open(const Nonce& nonce, base::Bytes associated, base::Bytes sealed,
                          std::byte* out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Overwrites secrets; the compiler may not leave it out.
void wipe(base::MutableBytes bytes) noexcept;

// In time that depends on the size only.
[[nodiscard]] bool equal_secret(base::Bytes a, base::Bytes b) noexcept;

}  // namespace tls
