// SPDX-License-Identifier: ISC
// net/lwip/unknown_neighbours.hpp: SYNs that claim to come from neighbours whose MAC is not known.
//
// To answer one, lwIP asks for its MAC, which takes an entry of the table of neighbours for some
// seconds. A full table evicts its oldest entry, which may be the gateway's. So only `at_once` SYNs
// of unknown neighbours are answered at once, and one more in each `interval`; clients that get no
// answer try again. Known neighbours, and clients behind a gateway, are always answered.

#pragma once

#include <chrono>

#include <lwip/ip_addr.h>
#include <lwip/netif.h>

#include "base/token_bucket.hpp"

namespace net::lwip {

class UnknownNeighbours {
 public:
  // The table has 120 entries (ARP_TABLE_SIZE, LWIP_ND6_NUM_NEIGHBORS). A neighbour that does not
  // exist stays for five seconds, so these take 80 at most.
  static constexpr unsigned at_once = 40;
  static constexpr base::Duration interval = std::chrono::milliseconds(500);

  // Whether a SYN from there may be answered; it counts as if it were.
  [[nodiscard]] bool admit(netif& interface, const ip_addr_t& sender, base::Instant now) noexcept;

 private:
  base::TokenBucket answers_{at_once, interval};
};

}  // namespace net::lwip
