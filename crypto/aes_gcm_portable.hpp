// SPDX-License-Identifier: ISC
// crypto/aes_gcm_portable.hpp: AES-GCM on processors without AES instructions.
//
// Owns:    one expanded key, 4.5 KiB.   Time: its look-ups are in tables, so it depends on the key.
// May include: base.

#pragma once

#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "crypto/aes_gcm.hpp"

namespace crypto {

class PortableGcm {
 public:
  explicit PortableGcm(base::Bytes key);  // 16 or 32 bytes; throws std::bad_alloc
  ~PortableGcm();
  PortableGcm(const PortableGcm&) = delete;
  PortableGcm& operator=(const PortableGcm&) = delete;

  // As in crypto/chacha20_poly1305.hpp.
  void seal(const Nonce& nonce, base::Bytes associated, std::span<const base::Bytes> pieces,
            std::byte* out) noexcept;
  [[nodiscard]] bool open(const Nonce& nonce, base::Bytes associated, base::Bytes sealed,
                          std::byte* out) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crypto
