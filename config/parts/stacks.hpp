// SPDX-License-Identifier: ISC
// config/parts/stacks.hpp: stack: the kernel's own sockets, where a target's processes have
// descriptors to wait on.
//
// States:  sockets; the key `address`, with the name of a group before it where an appliance has
//          several stacks. (lwip_stack.hpp has our own.)

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>

#include "config/graph.hpp"
#include "config/grouped.hpp"
#include "config/key.hpp"
#include "config/parts/modules.hpp"
#include "config/system_calls.hpp"
#include "net/sockets/sockets.hpp"

namespace config {

template <Text group>
inline constexpr Key<Address> address_key{.name = grouped<group, "address">,
                                          .section = "NETWORK",
                                          .doc = "Listen on this address only; none: on every one",
                                          .fallback = ""};

constexpr net::Endpoint endpoint_of(const Address& address) {
  if (address.version == 4) {
    const auto& bytes = address.bytes;
    return net::ipv4(bytes[0], bytes[1], bytes[2], bytes[3], 0);
  }
  return {address.bytes, 0};
}

// Where a process's manager holds the sockets (targets/unix/service.hpp), they are listened on.
void take_handed_sockets(auto& platform, net::Sockets::Options& options) {
  if constexpr (requires { platform.service.take(std::uint16_t{0}); }) {
    options.take_listening = [&service = platform.service](std::uint16_t port) {
      return service.take(port);
    };
  }
}

template <Text group>
struct ConnectSockets {
  // The threads of an appliance listen on one set of ports; each of its stacks has one.
  struct Ports : net::sockets::PortShare {};

  static constexpr std::tuple keys{&address_key<group>};
  static constexpr std::array system_calls{SYS_accept4,  SYS_recvfrom, SYS_sendto,    SYS_sendmsg,
                                           SYS_sendfile, SYS_shutdown, SYS_getsockopt};

  net::Sockets operator()(auto& context) const {
    auto& ports =
        context.of_appliance.template get<Ports>([] { return std::make_unique<Ports>(); });
    auto& platform = context.platform;
    net::Sockets::Options options;
    options.address = endpoint_of(context.boot.value(address_key<group>));
    options.wait_for_first_bytes = true;
    options.share = platform.thread_count > 1 ? &ports : nullptr;
    options.thread_index = platform.thread_index;
    options.thread_count = platform.thread_count;
    take_handed_sockets(platform, options);
    return {platform.loop, platform.descriptors, platform.log, options};
  }
};

template <Text group = "">
constexpr auto sockets(std::string_view name = "net::Sockets") {
  return impl<net::Sockets>(name, stack, ConnectSockets<group>{});
}

}  // namespace config
