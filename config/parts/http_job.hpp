// SPDX-License-Identifier: ISC
// config/parts/http_job.hpp: the HTTP server as a job: its boot keys, its port, its first log
// line.
//
// Models:  job (config/parts/parts.hpp).   Owns: an http::Server and its access log.
// Errors:  StartError when the port cannot be had.

#pragma once

#include <string>
#include <tuple>

#include "config/instances.hpp"
#include "config/key.hpp"
#include "http/access_log.hpp"
#include "http/options.hpp"
#include "http/server.hpp"
#include "kv/kv.hpp"
#include "net/stack.hpp"

namespace config {

inline constexpr std::string_view http_section = "HTTP";

inline constexpr Key<Port> http_port{.name = "http-port",
                                     .section = http_section,
                                     .doc = "Port to serve HTTP on; 0: one that is free",
                                     .fallback = 80};
inline constexpr Key<std::size_t> max_connections{
    .name = "max-connections",
    .section = http_section,
    .doc = "Connections at once, for each thread; then the longest idle one makes room",
    .fallback = http::Options{}.connections_max,
    .least = 1,
    .most = 1'000'000};

inline constexpr std::string_view log_words[] = {"off", "combined", "json"};
inline constexpr Key<http::LogFormat> access_log{
    .name = "log",
    .section = http_section,
    .doc = "A line for each request on standard output",
    .fallback = http::LogFormat::off,
    .words = log_words};

template <kv::KvRo Store, net::Stack Stack>
class HttpJob {
 public:
  template <class Platform>
  HttpJob(Store& store, Stack& stack, Platform& platform, const http::Options& options,
          http::LogFormat format, std::uint16_t port, std::string_view protocol = "http")
      : log_(platform.console, platform.loop, format),
        server_(store, stack, platform.loop, options, log_) {
    net::ListenResult<void> listening = server_.listen(port);
    if (!listening) throw StartError(listening.error());
    if constexpr (requires { platform.reserve_connections(options.connections_max); }) {
      platform.reserve_connections(options.connections_max);
    }
    if (platform.thread_index == 0) {
      platform.log.info(
          {"listening on port ", std::to_string(server_.port()), " (", protocol, ")"});
    }
  }

  // Over a stack that has nothing to listen with: ends at once.
  HttpJob(Store& store, Stack& stack, base::Loop& loop, base::Console& console)
      : log_(console, loop, http::LogFormat::off), server_(store, stack, loop, {}, log_) {}

  base::Task<void> run() { return server_.run(); }
  void drain() { server_.drain(); }

 private:
  http::AccessLog log_;
  http::Server<Store, Stack> server_;
};

template <const Key<Port>& port>
struct ConnectHttpJob {
  static constexpr std::tuple keys{&port, &max_connections, &access_log};

  template <class Store, class Stack>
  HttpJob<Store, Stack> operator()(auto& context, Store& store, Stack& stack) const {
    http::Options options;
    options.connections_max = context.boot.value(max_connections);
    return {store,
            stack,
            context.platform,
            options,
            context.boot.value(access_log),
            context.boot.value(port)};
  }
};

}  // namespace config
