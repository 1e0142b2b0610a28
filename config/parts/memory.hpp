// SPDX-License-Identifier: ISC
// config/parts/memory.hpp: the division of an appliance's memory (config/memory.hpp), asked for by
// the parts that use it.
//
// States:  max_connections, shares_of.   Needs: of a target's Platform `memory_bytes`; without it
//          memory has no bound, as in tests on simulated time.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.hpp"
#include "config/boot.hpp"
#include "config/key.hpp"
#include "config/management.hpp"
#include "config/memory.hpp"

namespace config {

inline constexpr std::string_view http_section = "HTTP";

inline constexpr Key<std::size_t> max_connections{
    .name = "max-connections",
    .section = http_section,
    .doc = "Connections at once, HTTP and HTTPS together; then the longest idle one makes room",
    .fallback = 10'000,
    .least = 1,
    .most = 1'000'000};

inline constexpr Key<bool> http2{.name = "http2",
                                 .section = http_section,
                                 .doc = "Speak HTTP/2 where TLS negotiates it",
                                 .fallback = true};

// The same for all devices of all threads. The first that asks writes it to the log, with a warning
// if it is less than the boot line says.
template <class Context>
const MemoryShares& shares_of(Context& context) {
  return context.of_appliance.template get<MemoryShares>([&context] {
    auto& platform = context.platform;
    const BootLine& boot = context.boot;
    MemoryUsers users;
    if constexpr (requires { platform.thread_count; }) users.thread_count = platform.thread_count;
    users.has_tls = boot.has_key("https-port");
    if (boot.has_key(http2.name)) users.has_http2 = boot.value(http2);
    users.has_own_stack = requires { platform.net_device; };
    if (boot.has_key(management_port.name)) {
      const auto port = management_port_of(boot);
      users.has_management = port && port->has_value();
    }
    if (boot.has_key(max_connections.name)) {
      users.connections_wanted = boot.value(max_connections);
      users.connections_are_asked_for = boot.is_said(max_connections.name);
    }
    if constexpr (requires { platform.memory_bytes; }) {
      CHECK(platform.memory_bytes > 0);
      const MemoryShares shares = divide_memory(platform.memory_bytes, users);
      if (users.connections_are_asked_for && shares.connections_max < users.connections_wanted) {
        platform.log.warning({"--max-connections=", std::to_string(users.connections_wanted),
                              " does not fit ", mebibytes_text(shares.total_bytes),
                              " of memory: at most ", std::to_string(shares.connections_max),
                              " are taken"});
      }
      platform.log.info({memory_text(shares, users.thread_count)});
      return std::make_unique<MemoryShares>(shares);
    } else {
      constexpr std::uint64_t enough = std::uint64_t{1} << 40;
      return std::make_unique<MemoryShares>(divide_memory(enough, users));
    }
  });
}

// TLS connections whose first record is not whole; each costs less than an open one.
inline std::size_t openings_of(const MemoryShares& shares) {
  return std::clamp<std::size_t>(shares.connections_max / 4, 16, 1024);
}

// Connections of our own stack, accepted or not: those of the servers, those in TLS's first steps,
// and those that are told 503.
inline std::size_t stack_connections_of(const MemoryShares& shares) {
  constexpr std::size_t others = 128;
  return shares.connections_max + openings_of(shares) + shares.handshakes_per_thread + others;
}

}  // namespace config
