// SPDX-License-Identifier: ISC
// tests/net/proxied_world.hpp: net::proxied::Over on other Worlds, as Worlds of worlds.hpp: whoever
// connects is a proxy, and says so.

#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "net/proxied/over.hpp"
#include "tests/net/worlds.hpp"

template <net::Stack Lower>
class ProxiedStack : public net::proxied::Over<Lower> {
 public:
  using Over = net::proxied::Over<Lower>;
  using Flow = typename Over::Flow;

  ProxiedStack(Lower& lower, base::Loop& loop, net::proxied::OverOptions options)
      : Over(lower, loop, std::move(options)), lower_(lower) {}

  Task<net::Result<Flow>> connect(const net::Endpoint& to, base::Duration within) {
    auto lower = co_await lower_.connect(to, within);
    if (!lower) co_return base::failure(lower.error());
    if (!Over::is_on()) co_return Flow(std::move(*lower), std::nullopt);
    constexpr std::string_view header = "PROXY TCP4 198.51.100.7 192.0.2.1 40000 443\r\n";
    if (!co_await send(*lower, header)) co_return base::failure(net::Error::reset);
    co_return Flow(std::move(*lower), std::nullopt);
  }

 private:
  Lower& lower_;
};

// `is_on`: proxies say who connects; else connections are as they come.
template <class Lower, bool is_on = true>
class ProxiedWorldOn {
 public:
  using Stack = ProxiedStack<typename Lower::Stack>;
  ProxiedWorldOn() : stack_(lower_.stack(), lower_.loop(), options()) {}
  base::Loop& loop() { return lower_.loop(); }
  Stack& stack() { return stack_; }
  Lower& lower() { return lower_; }
  net::Endpoint at(std::uint16_t port) const { return lower_.at(port); }

 private:
  static net::proxied::OverOptions options() {
    if (!is_on) return {};
    return {.trusts = [](const net::Endpoint&) { return true; }};
  }
  Lower lower_;
  Stack stack_;
};

using ProxiedSocketsWorld = ProxiedWorldOn<SocketsWorld>;
using ProxiedMemoryWorld = ProxiedWorldOn<MemoryWorld>;
using UnproxiedSocketsWorld = ProxiedWorldOn<SocketsWorld, false>;
using UnproxiedMemoryWorld = ProxiedWorldOn<MemoryWorld, false>;

static_assert(net::Stack<ProxiedMemoryWorld::Stack>);
