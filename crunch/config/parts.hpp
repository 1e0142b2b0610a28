// SPDX-License-Identifier: ISC
// crunch/config/parts.hpp: the ready-made modules and devices that a configuration is put together
// from.
//
// States:  kv_ro, stack, job; crunched, generic_stack, http_server, and the boot keys that they
// read. May include: everything: this is where models meet. CRUNCH_TARGET names the target's
// header; what a
//          target offers is asked of target::Platform, so no target is named here.

#pragma once

#include CRUNCH_TARGET

#include <string>
#include <string_view>
#include <tuple>

#include "crunch/config/credentials.hpp"
#include "crunch/config/graph.hpp"
#include "crunch/config/http_job.hpp"
#include "crunch/config/key.hpp"
#include "crunch/config/lwip_stack.hpp"
#include "kv/crunched/crunched.hpp"
#include "net/sockets/sockets.hpp"

namespace crunch::config {

// Module types.

struct KvRoModule {
  static constexpr std::string_view name = "kv_ro";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = kv::KvRo<T>;
};
struct StackModule {
  static constexpr std::string_view name = "stack";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = net::Stack<T>;
};
// Work that runs until it has ended by itself or been drained.
struct JobModule {
  static constexpr std::string_view name = "job";
  static constexpr bool is_job = true;
  template <class T>
  static constexpr bool holds = requires(T& job) {
    { job.run() } -> std::same_as<base::Task<void>>;
    { job.drain() } -> std::same_as<void>;
  };
};
inline constexpr Typ<KvRoModule> kv_ro;
inline constexpr Typ<StackModule> stack;
// Who a TLS server is.
struct IdentityModule {
  static constexpr std::string_view name = "identity";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = std::same_as<T, Credentials>;
};
inline constexpr Typ<JobModule> job;
inline constexpr Typ<IdentityModule> identity;

// kv_ro: a directory that `crunch embed` has written, by the name of its table.

template <const kv::crunched::Site& table>
struct ConnectCrunched {
  kv::Crunched operator()(auto& context) const {
    kv::Crunched store(table);
    if (context.platform.thread_index == 0) {
      context.platform.log.info({table.name, ": ", std::to_string(store.file_count()),
                                 " files, digest ", store.site_digest().substr(0, 16)});
    }
    return store;
  }
};
template <const kv::crunched::Site& table>
constexpr auto crunched(std::string_view name) {
  return impl<kv::Crunched>(name, kv_ro, ConnectCrunched<table>{});
}

// stack: the kernel's own sockets, where a target's processes have descriptors to wait on.

struct ConnectSockets {
  net::Sockets operator()(auto& context) const {
    // The threads of a process are one appliance on one set of ports.
    static net::sockets::PortShare ports;
    auto& platform = context.platform;
    net::Sockets::Options options;
    options.wait_for_first_bytes = true;
    options.share = platform.thread_count > 1 ? &ports : nullptr;
    options.thread_index = platform.thread_index;
    return {platform.loop, platform.descriptors, platform.log, options};
  }
};

// stack: lwIP over the target's network device, where it offers one; else the kernel's sockets.
template <class Platform = target::Platform>
constexpr auto generic_stack() {
  if constexpr (requires(Platform & platform) { platform.net_device; }) {
    return impl<net::Lwip>("net::Lwip", stack, ConnectLwip{});
  } else {
    static_assert(
        requires(Platform & platform) { platform.descriptors; },
        "this target has neither a network device nor kernel sockets");
    return impl<net::Sockets>("net::Sockets", stack, ConnectSockets{});
  }
}

// job: HTTP from a store on a stack, on the port that a boot key gives.

template <class... M>
using HttpJobOf = HttpJob<M...>;

template <const Key<std::uint16_t>& port>
constexpr auto http_server() {
  return foreign<HttpJobOf>("http::Server", kv_ro >> stack >> job, ConnectHttpJob<port>{});
}

// credentials: what the image was built with, or what boot keys name.

template <const EmbeddedFile* files>
constexpr auto credentials() {
  return impl<Credentials>("tls::Credentials", identity, ConnectCredentials<files>{});
}

// stack: TLS on another one, with credentials; without any it is off.

template <class Lower, class Identity>
struct TlsOver {
  using type = TlsStack<Lower>;
};
template <class... M>
using TlsOverOf = typename TlsOver<M...>::type;
inline constexpr auto tls_over =
    foreign<TlsOverOf>("tls::Over", stack >> identity >> stack, ConnectTls{});

// job: HTTPS from a store on tls_over's stack; nothing where TLS is off.
constexpr auto https_server() {
  return foreign<HttpJobOf>("http::Server", kv_ro >> stack >> job, ConnectHttpsJob{});
}

// job: plain HTTP beside HTTPS: a redirect to it (308), or the site itself where TLS is off or the
// key `redirect` says so.
template <class Store, class Stack, class Secure>
struct HttpJobBeside {
  using type = HttpJob<Store, Stack>;
};
template <class... M>
using HttpJobBesideOf = typename HttpJobBeside<M...>::type;
template <const Key<std::uint16_t>& port>
constexpr auto http_beside_https() {
  return foreign<HttpJobBesideOf>("http::Server", kv_ro >> stack >> stack >> job,
                                  ConnectHttpBeside<port>{});
}

}  // namespace crunch::config
