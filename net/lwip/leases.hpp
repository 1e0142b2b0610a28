// SPDX-License-Identifier: ISC
// net/lwip/leases.hpp: what a DHCP server says, before lwIP believes it.
//
// Source: RFC 2131, RFC 2132.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace net::lwip {

// A message of BOOTP, without UDP's header, is not longer than we look at it.
inline constexpr std::size_t dhcp_bytes_max = 1500;

// Whether a server may have said this: it is DHCP, has what a message of its kind must have, and
// addresses in it are ones that a host can have. Whether it is for us is lwIP's to see.
[[nodiscard]] bool is_dhcp_good(base::Bytes message) noexcept;

// How long to wait with asking again after a server has refused what it, or another, had offered,
// for the `count`th time in a row: a second, and twice as long each time.
[[nodiscard]] std::uint32_t seconds_after_refusal(unsigned count) noexcept;

// When to renew and when to ask any server, in seconds (RFC 2131 section 4.4.5): as the server says
// if that is in order, else after one half and seven eighths. `lease` as well, which is never 0.
struct LeaseTimes {
  std::uint32_t lease = 0;
  std::uint32_t renew = 0;
  std::uint32_t rebind = 0;
};
[[nodiscard]] LeaseTimes lease_times(std::uint32_t lease, std::uint32_t renew,
                                     std::uint32_t rebind) noexcept;

}  // namespace net::lwip
