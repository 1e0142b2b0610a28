// SPDX-License-Identifier: ISC
// net/lwip/orphans.hpp: the connections that their owners have left and that lwIP ends alone.
//
// Bound:   `orphans_max` of those that still have something to send; above it the one that has not
//          been heard of for the longest time is reset.
// Owns:    nothing; each pcb carries its place in the list.

#pragma once

#include <array>
#include <cstddef>

struct tcp_pcb;

namespace net::lwip {

class Orphans {
 public:
  static constexpr std::size_t orphans_max = 256;

  // The connection has no owner from now on.
  void add(tcp_pcb& pcb) noexcept;
  // Whether any of them still has unacknowledged bytes.
  [[nodiscard]] bool are_sending() const noexcept;
  // Called when lwIP frees one.
  void remove(std::size_t place) noexcept;

 private:
  // Those that have sent everything need not be counted. The longest unheard of is reset if that is
  // not enough.
  void make_room() noexcept;

  std::array<tcp_pcb*, orphans_max> all_{};
  std::size_t count_ = 0;
};

}  // namespace net::lwip
