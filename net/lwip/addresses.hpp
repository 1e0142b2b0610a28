// SPDX-License-Identifier: ISC
// net/lwip/addresses.hpp: the addresses of a stack, from the text that boot keys give.
//
// Errors:  a sentence that names the key and says what would do.   Source: RFC 4291 section 2.2.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/lwip/options.hpp"

namespace net::lwip {

// As on a boot line; empty: not given.
struct AddressTexts {
  std::string_view group = {};         // of several stacks: its keys are --group-ipv4 and so on
  std::string_view ipv4 = {};          // 192.0.2.2/24
  std::string_view ipv4_gateway = {};  // 192.0.2.1
  bool dhcp = false;                   // asked for in so many words
  std::string_view ipv6 = {};          // 2001:db8::2/64, auto or off
  std::string_view ipv6_gateway = {};  // fe80::1
};

// With neither `ipv4` nor `dhcp`: DHCP.
[[nodiscard]] base::Result<Options, std::string> options_of(const AddressTexts& texts);

[[nodiscard]] std::optional<Ipv4Address> parse_ipv4(std::string_view text);
[[nodiscard]] std::optional<Ipv6Address> parse_ipv6(std::string_view text);

}  // namespace net::lwip
