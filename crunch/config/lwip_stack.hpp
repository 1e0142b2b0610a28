// SPDX-License-Identifier: ISC
// crunch/config/lwip_stack.hpp: net::Lwip over a target's network device, and its boot keys.
//
// States:  ConnectLwip; the boot keys of addresses.   Needs: target::Platform's `net_device`, a
//          net::NetDevice.   Errors: StartError when the addresses make no sense together.

#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "crunch/config/boot.hpp"
#include "crunch/config/instances.hpp"
#include "crunch/config/key.hpp"
#include "net/lwip/addresses.hpp"
#include "net/lwip/lwip.hpp"

namespace crunch::config {

inline constexpr std::string_view network_section = "NETWORK";
inline constexpr Key<Prefix> ipv4_key{
    .name = "ipv4",
    .section = network_section,
    .doc = "IPv4 address and the bits of its network, 192.0.2.2/24; none: by DHCP",
    .fallback = "",
    .version = 4};
inline constexpr Key<Address> ipv4_gateway_key{
    .name = "ipv4-gateway",
    .section = network_section,
    .doc = "The router to other IPv4 networks, in the network of --ipv4",
    .fallback = "",
    .version = 4};
inline constexpr Key<bool> dhcp_key{.name = "dhcp",
                                    .section = network_section,
                                    .doc = "Ask for an IPv4 address, as without --ipv4",
                                    .fallback = false};
inline constexpr Key<std::string_view> ipv6_key{
    .name = "ipv6",
    .section = network_section,
    .doc = "IPv6 address and network, 2001:db8::2/64; auto: what routers say; or off",
    .fallback = "auto"};
inline constexpr Key<Address> ipv6_gateway_key{
    .name = "ipv6-gateway",
    .section = network_section,
    .doc = "The router to other IPv6 networks, with a fixed --ipv6",
    .fallback = "",
    .version = 6};
inline constexpr Key<std::string_view> hostname_key{.name = "hostname",
                                                    .section = network_section,
                                                    .doc = "Name that a DHCP server is told",
                                                    .fallback = "crunch"};

struct ConnectLwip {
  static constexpr std::tuple keys{&ipv4_key, &ipv4_gateway_key, &dhcp_key,
                                   &ipv6_key, &ipv6_gateway_key, &hostname_key};

  net::Lwip operator()(auto& context) const {
    const BootLine& boot = context.boot;
    const std::string ipv4 = boot.text(ipv4_key);
    const std::string ipv4_gateway = boot.text(ipv4_gateway_key);
    const std::string ipv6_gateway = boot.text(ipv6_gateway_key);
    auto options = net::lwip::options_of({.ipv4 = ipv4,
                                          .ipv4_gateway = ipv4_gateway,
                                          .dhcp = boot.value(dhcp_key),
                                          .ipv6 = boot.value(ipv6_key),
                                          .ipv6_gateway = ipv6_gateway});
    if (!options) throw StartError(options.error());
    options->hostname = std::string(boot.value(hostname_key));
    auto& platform = context.platform;
    return {platform.loop, platform.entropy, platform.log, platform.net_device, *options};
  }
};

}  // namespace crunch::config
