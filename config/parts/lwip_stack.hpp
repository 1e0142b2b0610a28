// SPDX-License-Identifier: ISC
// config/parts/lwip_stack.hpp: net::Lwip over a target's network device, and its boot keys.
//
// States:  ConnectLwip; the boot keys of addresses, with the name of a group before them where an
//          appliance has several stacks.   Needs: target::Platform's `net_device`, a
//          net::NetDevice, and for groups its `net_devices`.   Errors: StartError when the
//          addresses make no sense together, or a group's device is not there.

#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "config/boot.hpp"
#include "config/graph.hpp"
#include "config/grouped.hpp"
#include "config/instances.hpp"
#include "config/key.hpp"
#include "config/parts/memory.hpp"
#include "net/lwip/addresses.hpp"
#include "net/lwip/lwip.hpp"
#include "net/lwip/memory.hpp"

namespace config {

inline constexpr std::string_view network_section = "NETWORK";
template <Text group>
inline constexpr Key<Prefix> ipv4_key{
    .name = grouped<group, "ipv4">,
    .section = network_section,
    .doc = "IPv4 address and the bits of its network, 192.0.2.2/24; none: by DHCP",
    .fallback = "",
    .version = 4};
template <Text group>
inline constexpr Key<Address> ipv4_gateway_key{
    .name = grouped<group, "ipv4-gateway">,
    .section = network_section,
    .doc = "The router to other IPv4 networks, in the network of --ipv4",
    .fallback = "",
    .version = 4};
template <Text group>
inline constexpr Key<bool> dhcp_key{.name = grouped<group, "dhcp">,
                                    .section = network_section,
                                    .doc = "Ask for an IPv4 address, as without --ipv4",
                                    .fallback = false};
template <Text group>
inline constexpr Key<std::string_view> ipv6_key{
    .name = grouped<group, "ipv6">,
    .section = network_section,
    .doc = "IPv6 address and network, 2001:db8::2/64; auto: what routers say; or off",
    .fallback = "auto"};
template <Text group>
inline constexpr Key<Address> ipv6_gateway_key{
    .name = grouped<group, "ipv6-gateway">,
    .section = network_section,
    .doc = "The router to other IPv6 networks, with a fixed --ipv6",
    .fallback = "",
    .version = 6};
template <Text group>
inline constexpr Key<std::string_view> hostname_key{.name = grouped<group, "hostname">,
                                                    .section = network_section,
                                                    .doc = "Name that a DHCP server is told",
                                                    .fallback = "crunch"};

// A target whose programs may have several network devices says by its Platform's `net_devices` how
// one is found: by the value of `device_key`, which each group has its own of.
template <class Platform>
concept HasNetDevices = requires(Platform& platform) {
  platform.net_devices.find(fallback_of(Platform::device_key), std::string_view());
};

template <Text group, class Platform>
struct ConnectLwip {
  static constexpr auto keys = [] {
    const std::tuple common{&ipv4_key<group>, &ipv4_gateway_key<group>, &dhcp_key<group>,
                            &ipv6_key<group>, &ipv6_gateway_key<group>, &hostname_key<group>};
    if constexpr (group.view().empty()) {
      return common;
    } else {
      return std::tuple_cat(std::tuple{&in_group<group, Platform::device_key>}, common);
    }
  }();

  net::Lwip operator()(auto& context) const {
    const BootLine& boot = context.boot;
    const std::string ipv4 = boot.text(ipv4_key<group>);
    const std::string ipv4_gateway = boot.text(ipv4_gateway_key<group>);
    const std::string ipv6_gateway = boot.text(ipv6_gateway_key<group>);
    auto options = net::lwip::options_of({.group = group.view(),
                                          .ipv4 = ipv4,
                                          .ipv4_gateway = ipv4_gateway,
                                          .dhcp = boot.value(dhcp_key<group>),
                                          .ipv6 = boot.value(ipv6_key<group>),
                                          .ipv6_gateway = ipv6_gateway});
    if (!options) throw StartError(options.error());
    options->hostname = std::string(boot.value(hostname_key<group>));
    auto& platform = context.platform;
    const MemoryShares& shares = shares_of(context);
    options->connections_max = stack_connections_of(shares);
    if constexpr (requires { platform.memory_bytes; }) {
      net::lwip::Memory::set_limit(static_cast<std::size_t>(shares.stack_bytes),
                                   options->connections_max);
    }
    return {platform.loop, platform.entropy, platform.log, device(context), *options};
  }

 private:
  static auto& device(auto& context) {
    if constexpr (group.view().empty()) {
      return context.platform.net_device;
    } else {
      constexpr auto& key = in_group<group, Platform::device_key>;
      auto found = context.platform.net_devices.find(context.boot.value(key), key.name);
      if (!found) throw StartError(found.error());
      return **found;
    }
  }
};

}  // namespace config
