// SPDX-License-Identifier: ISC
// net/lwip/half_open.hpp: the connections that have sent a SYN and not yet answered ours.
//
// Bound:   `half_open_max`, of all ports together; above it the oldest is forgotten, without a
//          word, for the newest. Whoever floods with SYNs so displaces their own: an honest client
//          comes through as long as it answers before that many others have come.
// Owns:    nothing; lwIP's pcbs are in the ring while they are half open, in order of arrival.

#pragma once

#include <array>
#include <cstddef>

struct tcp_pcb;

namespace net::lwip {

class HalfOpen {
 public:
  static constexpr std::size_t half_open_max = 1024;

  // Of one place in the ring; what a pcb carries.
  struct Node {
    HalfOpen* owner = nullptr;
    tcp_pcb* pcb = nullptr;  // null: free
    Node* older = nullptr;
    Node* newer = nullptr;  // or the next free one
  };

  HalfOpen() noexcept;
  HalfOpen(const HalfOpen&) = delete;
  HalfOpen& operator=(const HalfOpen&) = delete;

  // The connections that arrive at this pcb, which is about to listen, will be counted.
  static void watch(tcp_pcb* listening);
  // A connection has been established.
  static void established(tcp_pcb* pcb);
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

  void add(tcp_pcb* pcb);
  void remove(Node& node) noexcept;

 private:
  std::array<Node, half_open_max> nodes_;
  Node* free_ = nullptr;
  Node* oldest_ = nullptr;
  Node* newest_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace net::lwip
