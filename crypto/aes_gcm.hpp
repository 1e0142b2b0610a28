// SPDX-License-Identifier: ISC
// crypto/aes_gcm.hpp: AES-GCM (NIST SP 800-38D) by AES-NI and carry-less multiplication.
//
// Owns:    one expanded key.   Source: Intel's Multi-Buffer Crypto library, which is hidden in the
//          .cpp; its code for SSE runs wherever there is AES-NI, and is its fastest one here.
// Use:     only where `is_supported()`; crypto/aead.hpp takes nettle's otherwise.
// May include: base.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"

namespace crypto {

using Nonce = std::array<std::byte, 12>;
using Tag = std::array<std::byte, 16>;

// Copies the pieces, one after another, to `out`, which does not overlap them.
base::MutableBytes joined(std::span<const base::Bytes> pieces, std::byte* out) noexcept;

class AesGcm {
 public:
  // The library was there when this was built, and the processor has AES-NI, PCLMULQDQ and SSE4.1.
  [[nodiscard]] static bool is_supported() noexcept;

  // 16 or 32 bytes.
  void set_key(base::Bytes key) noexcept;

  // Writes the pieces' ciphertext, one after another, at `out`, which does not overlap them.
  [[nodiscard]] Tag seal(const Nonce& nonce, base::Bytes associated,
                         std::span<const base::Bytes> pieces, std::byte* out) const noexcept;
  // Writes the plaintext, which means nothing until the tag has been compared. `out` is
  // ciphertext.data() or apart from it.
  [[nodiscard]] Tag open(const Nonce& nonce, base::Bytes associated, base::Bytes ciphertext,
                         std::byte* out) const noexcept;

 private:
  // The library's struct gcm_key_data; aes_gcm.cpp checks the size.
  alignas(64) std::array<std::byte, 1024> expanded_;
  bool is_256_ = false;
};

}  // namespace crypto
