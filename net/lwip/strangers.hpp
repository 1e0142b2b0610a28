// SPDX-License-Identifier: ISC
// net/lwip/strangers.hpp: SYNs that claim to come from neighbours whose MAC is not known.
//
// To answer one its MAC must be asked for, which takes a place in the table of neighbours for some
// seconds; in a full table it is the place of whoever was asked about longest ago, such as the
// gateway. So only some strangers are answered at once, and some more each second; who is not will
// ask again. Whom we know, and all who come through a gateway, are always answered.

#pragma once

#include <chrono>

#include <lwip/ip_addr.h>
#include <lwip/netif.h>

#include "base/token_bucket.hpp"

namespace net::lwip {

class Strangers {
 public:
  // Of 120 places (ARP_TABLE_SIZE, LWIP_ND6_NUM_NEIGHBORS), where a stranger that is none stays for
  // five seconds: 80 at most.
  static constexpr unsigned at_once = 40;
  static constexpr base::Duration interval = std::chrono::milliseconds(500);

  // Whether a SYN from there may be answered; it counts as if it were.
  [[nodiscard]] bool admit(netif& interface, const ip_addr_t& sender, base::Instant now) noexcept;

 private:
  base::TokenBucket answers_{at_once, interval};
};

}  // namespace net::lwip
