// SPDX-License-Identifier: ISC
// crypto/aead.hpp: authenticated encryption under one key: AES-GCM or ChaCha20-Poly1305.
//
// Cost:   sealing reads content once, from where it lies, and writes ciphertext once.
// May include: base.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>

#include "crypto/aes_gcm.hpp"
#include "crypto/aes_gcm_portable.hpp"

namespace crypto {

enum class Cipher : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };
[[nodiscard]] constexpr std::size_t key_bytes(Cipher cipher) {
  return cipher == Cipher::aes_128_gcm ? 16 : 32;
}

class Aead {
 public:
  Aead() = default;
  ~Aead() { forget(); }
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;

  // `portable`: not the processor's instructions (for tests; without them it is always so).
  void set_key(Cipher cipher, base::Bytes key, bool portable = false);

  // Writes what `pieces` hold, sealed, then the tag. `out` does not overlap them.
  void seal(const Nonce& nonce, base::Bytes associated, std::span<const base::Bytes> pieces,
            std::byte* out);
  // `sealed` ends in the tag; `out` has room for the rest, and is sealed.data() or apart from it.
  // False: it is not what the peer sealed, and `out` means nothing.
  [[nodiscard]] bool open(const Nonce& nonce, base::Bytes associated, base::Bytes sealed,
                          std::byte* out);

 private:
  using ChaChaKey = std::array<std::byte, 32>;
  void forget() noexcept;
  std::variant<std::monostate, AesGcm, ChaChaKey, std::unique_ptr<PortableGcm>> key_;
};

}  // namespace crypto
