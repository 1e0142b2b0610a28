// SPDX-License-Identifier: ISC
// crypto/gmp.hpp: GMP's numbers and its memory; for crypto/*.cpp only.
//
// Owns:    an Arena, the only memory that GMP and nettle's public-key functions allocate from.
// May include: base.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <gmp.h>

namespace crypto {

static_assert(GMP_NUMB_BITS == 64 && GMP_NAIL_BITS == 0);
inline constexpr std::size_t limb_bytes = 8;

// Big-endian bytes, of which there are limb_bytes for each limb, as GMP's limbs, and back.
inline void to_limbs(std::span<const std::uint8_t> bytes, mp_limb_t* limbs) {
  for (std::size_t at = bytes.size(); at > 0; at -= limb_bytes) {
    mp_limb_t limb = 0;
    for (std::size_t i = at - limb_bytes; i < at; ++i) limb = limb << 8U | bytes[i];
    *limbs++ = limb;
  }
}
inline void to_bytes(const mp_limb_t* limbs, std::span<std::uint8_t> bytes) {
  for (std::size_t at = bytes.size(); at > 0; at -= limb_bytes) {
    mp_limb_t limb = *limbs++;
    for (std::size_t i = at; i-- > at - limb_bytes; limb >>= 8U) {
      bytes[i] = static_cast<std::uint8_t>(limb);
    }
  }
}

// What GMP and nettle allocate during one operation, on the stack. From malloc it could be refused,
// and then GMP aborts; and the numbers may be secret, so they are wiped at the end. One for each
// thread at a time.
class Arena {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

 private:
  static void* allocate(std::size_t size);
  static void* resize(void* at, std::size_t old_size, std::size_t size);
  static void release(void* at, std::size_t size);

  static constexpr std::size_t step = alignof(std::max_align_t);
  // The most that is used is what P-384 takes, about two thirds of it.
  alignas(step) std::array<std::byte, std::size_t{20} * 1024> bytes_;
  std::size_t used_ = 0;
  std::size_t used_max_ = 0;
};

}  // namespace crypto
