// SPDX-License-Identifier: ISC
// config/parts/http_job.hpp: the HTTP server as a job: its boot keys, its port, its first log
// line.
//
// Models:  job (config/parts/parts.hpp).   Owns: an http::Server and its access log.
// Errors:  StartError when the port cannot be had, or takes no connections any more.

#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/instances.hpp"
#include "config/key.hpp"
#include "config/parts/challenges.hpp"
#include "config/parts/live_rules.hpp"
#include "config/parts/memory.hpp"
#include "config/parts/numbers.hpp"
#include "config/parts/proxies.hpp"
#include "config/run.hpp"
#include "http/access_log.hpp"
#include "http/admission.hpp"
#include "http/h2/budget.hpp"
#include "http/options.hpp"
#include "http/server.hpp"
#include "kv/kv.hpp"
#include "net/stack.hpp"

namespace config {

inline constexpr Key<Port> http_port{.name = "http-port",
                                     .section = http_section,
                                     .doc = "Port to serve HTTP on; 0: one that is free",
                                     .fallback = 80};
inline constexpr Key<std::size_t> max_connections_per_client{
    .name = "max-connections-per-client",
    .section = http_section,
    .doc = "Of these from one IPv4 address or IPv6 /64, loopback excepted; 0: a quarter",
    .fallback = 0,
    .least = 0,
    .most = 1'000'000};
inline constexpr Key<Duration> idle_timeout{.name = "idle-timeout",
                                            .section = http_section,
                                            .doc = "How long a connection may wait for a request",
                                            .fallback = "75s",
                                            .least = "1s",
                                            .most = "1d"};

inline constexpr Key<bool> h2c{
    .name = "h2c",
    .section = http_section,
    .doc = "Speak HTTP/2 on plain ports too, with clients that begin with it",
    .fallback = false};

inline constexpr std::string_view log_words[] = {"off", "combined", "json"};
inline constexpr Key<http::LogFormat> access_log{
    .name = "log",
    .section = http_section,
    .doc = "A line for each request on standard output",
    .fallback = http::LogFormat::off,
    .words = log_words};

inline constexpr std::string_view privacy_words[] = {"full", "short", "none"};
inline constexpr Key<http::LogPrivacy> log_privacy{
    .name = "log-privacy",
    .section = http_section,
    .doc = "What --log says of visitors: their address; its /24 or /48, without queries; nothing",
    .fallback = http::LogPrivacy::full,
    .words = privacy_words};

// The limits that the keys say.
constexpr http::AdmissionLimits admission_limits(std::size_t total, std::size_t per_client) {
  constexpr std::size_t browser = 16;  // a small total leaves one client its usual six, and more
  if (per_client == 0) per_client = std::max(total / 4, browser);
  return {total, std::min(per_client, total), {}};
}

// Newcomers that are told 503 at once need buffers too, beside the requests of those admitted.
inline std::size_t refusals_of(const MemoryShares& shares) {
  return std::clamp<std::size_t>(shares.requests_per_thread / 4, 4, 64);
}

// Who has connections to the appliance.
template <class Context>
http::Clients& clients_of(Context& context) {
  auto& platform = context.platform;
  const MemoryShares& shares = shares_of(context);
  return context.of_appliance.template get<http::Clients>([&] {
    auto limits =
        admission_limits(shares.connections_max, context.boot.value(max_connections_per_client));
    limits.proxies = http::TrustedProxies(networks_of(context.boot.value(trusted_proxy)));
    if constexpr (requires { platform.reserve_connections(limits.connections_max); }) {
      platform.reserve_connections(limits.connections_max);
    }
    unsigned thread_count = 1;
    if constexpr (requires { platform.thread_count; }) thread_count = platform.thread_count;
    std::uint64_t seed = 0;
    platform.entropy.fill(std::as_writable_bytes(std::span(&seed, 1)));
    return std::make_unique<http::Clients>(limits, thread_count, seed);
  });
}

// What the servers of a thread share: they count the appliance's connections together.
template <class Context>
http::Admission& admission_of(Context& context) {
  auto& platform = context.platform;
  const MemoryShares& shares = shares_of(context);
  http::Clients& clients = clients_of(context);
  return context.of_thread.template get<http::Admission>([&] {
    http::AdmissionThread thread{.index = platform.thread_index};
    if constexpr (requires { platform.call; }) {
      if (platform.thread_count > 1) thread.call = platform.call;
    }
    auto admission =
        std::make_unique<http::Admission>(clients, platform.loop, std::move(thread),
                                          shares.requests_per_thread + refusals_of(shares));
    if constexpr (requires { platform.on_call; }) {
      platform.on_call = [&admission = *admission] { admission.pay(); };
    }
    return admission;
  });
}

// What HTTP/2 of a thread's servers may take.
template <class Context>
http::h2::Budget& http2_budget_of(Context& context) {
  const auto bytes = static_cast<std::size_t>(shares_of(context).http2_bytes_per_thread);
  return context.of_thread.template get<http::h2::Budget>(
      [bytes] { return std::make_unique<http::h2::Budget>(bytes); });
}

inline constexpr std::tuple http_keys{&max_connections,
                                      &max_connections_per_client,
                                      &idle_timeout,
                                      &http2,
                                      &h2c,
                                      &access_log,
                                      &drain_delay,
                                      &log_privacy,
                                      &trusted_proxy};
http::Options http_options(auto& context) {
  http::Options options;
  options.idle_within = context.boot.value(idle_timeout);
  options.requests_max = shares_of(context).requests_per_thread;
  options.refusals_max = refusals_of(shares_of(context));
  options.http2_cleartext = context.boot.value(http2) && context.boot.value(h2c);
  options.trusted_proxies = http::TrustedProxies(networks_of(context.boot.value(trusted_proxy)));
  options.challenges = challenges_of(context).texts;
  return options;
}

// What the servers of a thread have in common.
struct ServerShares {
  http::Admission& admission;
  http::Counters& counters;
  http::h2::Budget& http2;
};
template <class Context>
ServerShares shares_of_servers(Context& context) {
  return {admission_of(context), counters_of(context), http2_budget_of(context)};
}

// The ports of the sockets that the process's manager holds by this name, else `own`, if any.
template <class Platform>
std::vector<std::uint16_t> ports_to_listen(Platform& platform, std::string_view name,
                                           std::optional<std::uint16_t> own) {
  if constexpr (requires { platform.service.ports_of(name); }) {
    std::vector<std::uint16_t> handed = platform.service.ports_of(name);
    if (!handed.empty()) return handed;
  }
  return own ? std::vector{*own} : std::vector<std::uint16_t>{};
}

struct LogStyle {
  http::LogFormat format;
  http::LogPrivacy privacy;
};
LogStyle log_style(auto& context) {
  return {context.boot.value(access_log), context.boot.value(log_privacy)};
}

template <kv::Source Store, net::ServerStack Stack>
class HttpJob {
 public:
  template <class Platform>
  HttpJob(Store& store, Stack& stack, Platform& platform, const http::Options& options,
          const LogStyle& style, const ServerShares& shared, std::uint16_t port,
          std::string_view protocol = "http")
      : log_(platform.console, platform.loop, style.format, style.privacy),
        server_(store, stack, platform.loop, options, log_, &shared.admission, &shared.counters,
                &shared.http2) {
    for (const std::uint16_t each : ports_to_listen(platform, protocol, port)) {
      net::ListenResult<void> listening = server_.listen(each);
      if (!listening) throw StartError(listening.error());
    }
    if (platform.thread_index == 0) {
      platform.log.info(
          {"listening on port ", std::to_string(server_.port()), " (", protocol, ")"});
    }
    if constexpr (is_live) {
      live_rules_.emplace(store, platform.loop,
                          platform.thread_index == 0 ? &platform.log : nullptr,
                          [this](auto rules) { server_.use(std::move(rules)); });
    }
  }

  // Over a stack that has nothing to listen with: ends at once.
  HttpJob(Store& store, Stack& stack, base::Loop& loop, base::Console& console)
      : log_(console, loop, http::LogFormat::off), server_(store, stack, loop, {}, log_) {}

  // Ends by an exception when its port is lost.
  base::Task<void> run() {
    if constexpr (is_live) {
      if (live_rules_) co_await live_rules_->look();
    }
    co_await server_.run();
    if (server_.has_lost_port()) throw StartError("HTTP ends: its port takes no connections");
  }
  void announce_drain() { server_.announce_drain(); }
  void drain() {
    if constexpr (is_live) {
      if (live_rules_) live_rules_->stop();
    }
    server_.drain();
  }

 private:
  // A directory, which others change.
  static constexpr bool is_live = requires(Store & store) { store.path(); };
  using Live = std::conditional_t<is_live, std::optional<LiveRules<Store>>, NoLiveRules>;

  http::AccessLog log_;
  http::Server<Store, Stack> server_;
  [[no_unique_address]] Live live_rules_;
};

template <const Key<Port>& port>
struct ConnectHttpJob {
  static constexpr auto keys = std::tuple_cat(std::tuple{&port}, http_keys);

  template <class Store, class Stack>
  HttpJob<Store, Stack> operator()(auto& context, Store& store, Stack& stack) const {
    return {store,
            stack,
            context.platform,
            http_options(context),
            log_style(context),
            shares_of_servers(context),
            context.boot.value(port)};
  }
};

}  // namespace config
