// SPDX-License-Identifier: ISC
// net/lwip/decline.hpp: gives an address back to the DHCP server because another host has it (RFC
// 2131 sections 3.1.5 and 4.4.4), and asks for another ten seconds later.
//
// Not lwIP's own way (LWIP_DHCP_DOES_ACD_CHECK): it waits several seconds before it uses any
// address, and its message lacks the server's identifier, without which it means nothing.

#pragma once

#include <chrono>

#include <lwip/netif.h>

#include "base/clock.hpp"

namespace net::lwip {

inline constexpr base::Duration decline_wait = std::chrono::seconds(10);

// The interface has an address from DHCP, and has none afterwards.
void decline_lease(netif& interface);

}  // namespace net::lwip
