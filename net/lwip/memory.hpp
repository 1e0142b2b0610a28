// SPDX-License-Identifier: ISC
// net/lwip/memory.hpp: what lwIP allocates, and its bound: one for all stacks of a program.
//
// Method:  lwIP's malloc (net/lwip/port/lwipopts.h) counts what it gives and fails at the bound, as
//          lwIP expects it to: it drops a frame, or a write takes nothing. Half of it is divided
//          among all connections that there may be, as what each may hold in any case; of the
//          other half a connection may hold a part of what is free. So connections that take all
//          they can leave a newcomer enough to be served with.
// Rules:   1. The bound is set before the first stack is made, and holds for the whole program.
//          2. A frame that has arrived may be above the bound by `reserve_bytes`: without
//             acknowledgements nothing would ever be freed.

#pragma once

#include <cstddef>
#include <limits>

namespace net::lwip {

class Memory {
 public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t reserve_bytes = std::size_t{64} * 1024;

  static void set_limit(std::size_t bytes, std::size_t connections_max) noexcept {
    limit_ = bytes;
    sure_share_ = bytes / 2 / (3 * connections_max);  // sent, received, received too early
  }
  static void set_unlimited() noexcept { limit_ = unlimited; }
  [[nodiscard]] static std::size_t used() noexcept { return used_; }

  // What one connection may hold in one direction.
  [[nodiscard]] static std::size_t fair_share() noexcept {
    constexpr std::size_t part = 8;
    if (limit_ == unlimited) return unlimited;
    return sure_share_ + (used_ < limit_ / 2 ? (limit_ / 2 - used_) / part : 0);
  }

  // While it lives, what is allocated may use the reserve.
  class Urgent {
   public:
    Urgent() noexcept { is_urgent_ = true; }
    ~Urgent() { is_urgent_ = false; }
    Urgent(const Urgent&) = delete;
    Urgent& operator=(const Urgent&) = delete;
  };

  // malloc and free, counted. Null at the bound.
  [[nodiscard]] static void* allocate(std::size_t bytes) noexcept;
  static void free_again(void* memory) noexcept;

 private:
  [[nodiscard]] static std::size_t free() noexcept { return limit_ > used_ ? limit_ - used_ : 0; }

  static inline std::size_t limit_ = unlimited;
  static inline std::size_t sure_share_ = 0;
  static inline std::size_t used_ = 0;
  static inline bool is_urgent_ = false;
};

}  // namespace net::lwip
