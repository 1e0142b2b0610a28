// SPDX-License-Identifier: ISC
// config/parts/proxies.hpp: the proxies in front of an appliance: who they are, and a stack whose
// connections they pass on.
//
// States:  the boot keys trusted-proxy and proxy-protocol; networks_of, ConnectProxied.
// Errors:  StartError if no peer may use the PROXY protocol.

#pragma once

#include <chrono>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/counter.hpp"
#include "base/token_bucket.hpp"
#include "config/instances.hpp"
#include "config/key.hpp"
#include "config/parts/memory.hpp"
#include "config/parts/numbers.hpp"
#include "config/run.hpp"
#include "http/proxies.hpp"
#include "net/proxied/over.hpp"

namespace config {

inline constexpr Key<List<Prefix>> trusted_proxy{
    .name = "trusted-proxy",
    .section = http_section,
    .doc = "Networks of proxies that say who asks, by --proxy-protocol or X-Forwarded-* fields",
    .fallback = ""};
inline constexpr Key<bool> proxy_protocol{
    .name = "proxy-protocol",
    .section = http_section,
    .doc = "Take connections from --trusted-proxy only, with a PROXY protocol header before TLS",
    .fallback = false};

// The networks that a key says.
inline std::vector<http::Network> networks_of(const List<Prefix>& prefixes) {
  std::vector<http::Network> networks;
  for (const Prefix& prefix : prefixes) {
    const auto& bytes = prefix.address.bytes;
    if (prefix.address.version == 4) {
      networks.push_back({net::ipv4(bytes[0], bytes[1], bytes[2], bytes[3], 0), 96 + prefix.bits});
    } else {
      networks.push_back({{bytes, 0}, prefix.bits});
    }
  }
  return networks;
}

namespace detail {

// Counts the connections that a proxied stack closes, and logs some of them.
template <class Context>
std::function<void(const net::Endpoint&, bool)> refusals_of_proxied(Context& context) {
  static constexpr http::metrics::Family family{
      "crunch_proxy_protocol_refused_total",
      "Connections closed by --proxy-protocol: not from a trusted proxy, or without its header."};
  struct Refusals {
    base::Counter untrusted, malformed;
    base::TokenBucket lines{2, std::chrono::minutes(1)};
  };
  http::metrics::Registry& registry = registry_of(context);
  auto& refusals = registry.template make<Refusals>();
  registry.add(family, "reason=\"untrusted\"", refusals.untrusted);
  registry.add(family, "reason=\"malformed\"", refusals.malformed);
  return [&refusals, &platform = context.platform](const net::Endpoint& peer, bool is_trusted) {
    (is_trusted ? refusals.malformed : refusals.untrusted).add();
    if (!refusals.lines.take(platform.loop.now())) return;
    try {
      platform.log.warning(
          {"closed a connection from ", net::address_text(peer),
           is_trusted ? ": no PROXY protocol header came; let that proxy send it, or start the "
                        "image without --proxy-protocol"
                      : ": it is not in --trusted-proxy, and --proxy-protocol is on"});
    } catch (const std::bad_alloc&) {
      // The counters know.
    }
  };
}

}  // namespace detail

struct ConnectProxied {
  static constexpr std::tuple keys{&proxy_protocol, &trusted_proxy};

  template <class Lower>
  net::proxied::Over<Lower> operator()(auto& context, Lower& lower) const {
    net::proxied::OverOptions options;
    if (context.boot.value(proxy_protocol)) {
      http::TrustedProxies proxies(networks_of(context.boot.value(trusted_proxy)));
      if (proxies.is_empty()) {
        throw StartError(
            "--proxy-protocol=true needs --trusted-proxy=CIDR,...: the proxies whose word on who "
            "connects is taken, such as 10.0.0.0/8");
      }
      options.trusts = [proxies = std::move(proxies)](const net::Endpoint& peer) {
        return proxies.contains(peer);
      };
      options.on_refusal = detail::refusals_of_proxied(context);
    }
    return {lower, context.platform.loop, std::move(options)};
  }
};

}  // namespace config
