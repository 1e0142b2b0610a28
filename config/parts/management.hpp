// SPDX-License-Identifier: ISC
// config/parts/management.hpp: the management port as a job: /metrics, /healthz and /readyz.
//
// Models:  job (config/parts/parts.hpp).   Owns: an http::Server over http::Metrics, on the first
//          thread; elsewhere, and where the port is off, it ends at once.
// Rules:   1. Its connections are its own: at most management_connections, beside those of
//             --max-connections, so that it answers when a crowd has all of these.
//          2. It serves only what http::Metrics has, logs nothing, and is not counted itself.
// Errors:  StartError when the port cannot be had.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "config/instances.hpp"
#include "config/management.hpp"
#include "config/parts/http_job.hpp"
#include "config/parts/memory.hpp"
#include "config/parts/numbers.hpp"
#include "config/parts/stacks.hpp"
#include "http/access_log.hpp"
#include "http/metrics/metrics.hpp"
#include "http/options.hpp"
#include "http/server.hpp"
#include "net/stack.hpp"

namespace config {

inline http::Options management_options() {
  http::Options options;
  options.connections_max = management_connections;
  options.requests_max = management_connections;
  options.refusals_max = 1;
  return options;
}

// What is the same on all stacks: registers the numbers that belong to no server.
template <class Context>
void add_numbers(Context& context) {
  using http::metrics::Family;
  using http::metrics::Kind;
  static constexpr Family shares_family{"crunch_memory_share_bytes",
                                        "Memory, as it was divided at the start.", Kind::gauge};
  static constexpr Family limits_family{
      "crunch_limit", "How many there may be at once, by the division of memory.", Kind::gauge};
  static constexpr Family connections_family{"crunch_http_connections",
                                             "Connections that are admitted now.", Kind::gauge};
  static constexpr Family start_family{"crunch_start_time_seconds",
                                       "When the appliance started, in seconds since 1970.",
                                       Kind::gauge};
  static constexpr Family lost_family{"crunch_log_lines_lost_total",
                                      "Lines of the logs that were dropped.", Kind::counter};
  auto& platform = context.platform;
  http::metrics::Registry& registry = registry_of(context);
  const auto constant = [&registry](const Family& family, std::string labels, std::uint64_t value) {
    registry.add(family, std::move(labels), [value] { return value; });
  };
  const MemoryShares& shares = shares_of(context);
  constant(start_family, "", static_cast<std::uint64_t>(platform.clock.wall_s()));
  for (const MemoryShare& share : shares_by_name(shares)) {
    constant(shares_family, "share=\"" + std::string(share.name) + "\"", share.bytes);
  }
  constant(limits_family, "of=\"connections\"", shares.connections_max);
  std::uint64_t threads = 1;
  if constexpr (requires { platform.thread_count; }) threads = platform.thread_count;
  constant(limits_family, "of=\"requests\"", threads * shares.requests_per_thread);
  constant(limits_family, "of=\"handshakes\"", threads * shares.handshakes_per_thread);
  const http::Clients& clients = clients_of(context);
  registry.add(connections_family, "", [&clients] { return clients.connection_count(); });
  using Platform = std::remove_cvref_t<decltype(platform)>;
  if constexpr (requires { Platform::lost_line_count(); }) {
    registry.add(lost_family, "", [] { return Platform::lost_line_count(); });
  }
}

template <net::ServerStack Stack>
class ManagementJob {
 public:
  template <class Context>
  ManagementJob(Context& context, Stack& on) {
    const auto port = management_port_of(context.boot);
    if (!port) throw StartError(port.error());
    auto& platform = context.platform;
    const std::vector<std::uint16_t> ports = ports_to_listen(platform, "management", *port);
    if (ports.empty() || platform.thread_index != 0) return;
    add_numbers(context);
    serving_ = std::make_unique<Serving>(registry_of(context), on, platform);
    for (const std::uint16_t each : ports) {
      net::ListenResult<void> listening = serving_->server.listen(each);
      if (!listening) throw StartError(listening.error());
    }
    platform.log.info(
        {"listening on port ", std::to_string(serving_->server.port()), " (management)"});
  }

  // Ends by an exception when its port is lost.
  base::Task<void> run() {
    if (serving_ == nullptr) co_return;
    co_await serving_->server.run();
    if (serving_->server.has_lost_port()) {
      throw StartError("the management port takes no connections any more");
    }
  }
  void announce_drain() {
    if (serving_ != nullptr) serving_->metrics.announce_drain();
  }
  void drain() {
    if (serving_ != nullptr) serving_->server.drain();
  }

 private:
  struct Serving {
    template <class Platform>
    Serving(const http::metrics::Registry& registry, Stack& on, Platform& platform)
        : metrics(registry),
          log(platform.console, platform.loop, http::LogFormat::off),
          server(metrics, on, platform.loop, management_options(), log) {}
    http::Metrics metrics;
    http::AccessLog log;
    http::Server<http::Metrics, Stack> server;
  };
  std::unique_ptr<Serving> serving_;
};

struct ConnectManagement {
  static constexpr std::tuple keys{&management_port};

  template <class Stack>
  ManagementJob<Stack> operator()(auto& context, Stack& on) const {
    return {context, on};
  }
};

// Kernel sockets of its own, on an address that others do not reach unless it is said.
struct ConnectManagementSockets {
  static constexpr std::tuple keys{&management_address, &probe};
  static constexpr auto system_calls = ConnectSockets<"">::system_calls;

  net::Sockets operator()(auto& context) const {
    auto& platform = context.platform;
    net::Sockets::Options options;
    options.address = endpoint_of(context.boot.value(management_address));
    options.wait_for_first_bytes = true;
    options.sends_image = false;  // a thread that starts in a sealed process could not open it
    take_handed_sockets(platform, options);
    return {platform.loop, platform.descriptors, platform.log, options};
  }
};

}  // namespace config
