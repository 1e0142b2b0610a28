// SPDX-License-Identifier: ISC
// net/ip_version.hpp: which of the two IP protocols an address is of.
//
// Used by: net.   May include: net/endpoint.hpp.

#pragma once

#include <algorithm>

#include "net/endpoint.hpp"

namespace net {

[[nodiscard]] constexpr bool is_ipv4(const Endpoint& endpoint) noexcept {
  const Endpoint mapped = ipv4(0, 0, 0, 0, 0);
  return std::equal(mapped.address.begin(), mapped.address.begin() + 12, endpoint.address.begin());
}

}  // namespace net
