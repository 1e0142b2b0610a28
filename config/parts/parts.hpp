// SPDX-License-Identifier: ISC
// config/parts/parts.hpp: the ready-made parts that a configuration is put together from.
//
// States:  stores: generic_kv_ro. Stacks: generic_stack, proxied, tls_over, credentials; roots.
//          Jobs: http_server, https_server, redirect_to_https, management_server,
//          certificates_from_a_ca. Of the target: target_parts.hpp.
// May include: everything: this is where models meet. CRUNCH_TARGET names the target's header; what
//          a target offers is asked of target::Platform, so no target is named here.
// Order:   certificates_from_a_ca goes before the jobs that serve them.
// Groups:  generic_stack<"management">() is another device than generic_stack<>(), with keys of its
//          own: --management-address, or with lwIP --management-ipv4.

#pragma once

#include CRUNCH_TARGET

#include <string_view>

#include "config/choice.hpp"
#include "config/graph.hpp"
#include "config/key.hpp"
#include "config/parts/acme.hpp"
#include "config/parts/credentials.hpp"
#include "config/parts/dialing.hpp"
#include "config/parts/http_job.hpp"
#include "config/parts/lwip_stack.hpp"
#include "config/parts/management.hpp"
#include "config/parts/modules.hpp"
#include "config/parts/proxies.hpp"
#include "config/parts/ready_made.hpp"
#include "config/parts/roots.hpp"
#include "config/parts/stacks.hpp"
#include "config/parts/stores.hpp"
#include "config/parts/target_parts.hpp"
#include "config/parts/vaults.hpp"
#include "config/parts/web_client.hpp"

namespace config {

// kv_ro: what `crunch build` crunched; by the build key `store`, a directory, on targets with
// files.
template <const kv::crunched::Site& table, Text group = "", class Platform = target::Platform>
constexpr auto generic_kv_ro(std::string_view name) {
  return choose_store<table, group, Platform>(name);
}

// stack: lwIP over the target's network device, where it offers one, and for a group over a further
// one, where there may be several; else the kernel's sockets.
template <Text group = "", class Platform = target::Platform>
constexpr auto generic_stack() {
  if constexpr (requires(Platform & platform) { platform.net_device; }) {
    static_assert(group.view().empty() || HasNetDevices<Platform>,
                  "this target has one network device, so there is one stack: generic_stack()");
    return impl<net::Lwip>(group.view().empty() ? "net::Lwip" : group.view(), stack,
                           ConnectLwip<group, Platform>{});
  } else {
    static_assert(
        requires(Platform & platform) { platform.descriptors; },
        "this target has neither a network device nor kernel sockets");
    return sockets<group>(group.view().empty() ? "net::Sockets" : group.view());
  }
}

// server_stack: another one whose connections proxies pass on, where --proxy-protocol says so.
template <class Lower>
struct ProxiedOver {
  using type = net::proxied::Over<Lower>;
};
template <class... M>
using ProxiedOverOf = typename ProxiedOver<M...>::type;
inline constexpr auto proxied =
    foreign<ProxiedOverOf>("net::proxied::Over", server_stack >> server_stack, ConnectProxied{});

// identity: certificates that the image was built with, that boot keys name, or, by the build key
// `vault`, that a vault holds.
inline constexpr Typ<IdentityModule> identity;
template <class Vault>
struct CredentialsBy {
  using type = Credentials;
};
template <class... M>
using CredentialsByOf = typename CredentialsBy<M...>::type;
template <const EmbeddedFile* files, class Platform = target::Platform>
constexpr auto credentials() {
  using Connect = ConnectCredentials<files>;
  return choose_by_vault<Platform>(
      foreign<CredentialsByOf>("tls::Credentials", vault >> identity, Connect{}),
      impl<Credentials>("tls::Credentials", identity, Connect{}));
}

// The same from a store with cert.pem and key.pem.
template <class Store>
struct StoredCredentials {
  using type = Credentials;
};
template <class... M>
using StoredCredentialsOf = typename StoredCredentials<M...>::type;
inline constexpr auto credentials_in =
    foreign<StoredCredentialsOf>("tls::Credentials", kv_ro >> identity, ConnectStoredCredentials{});

// server_stack: TLS on another one, with credentials; without any it is off.
template <class Lower, class Identity>
struct TlsOver {
  using type = TlsStack<Lower>;
};
template <class... M>
using TlsOverOf = typename TlsOver<M...>::type;
inline constexpr auto tls_over =
    foreign<TlsOverOf>("tls::Over", server_stack >> identity >> server_stack, ConnectTls{});

// job: by the build key `acme-client`, asks a CA for certificates, over `network`, as an image with
// these roots may: `identity` has them then. It keeps them in the vault, if there is one.
template <const EmbeddedFile* roots_of_image, class Platform = target::Platform, Device Network,
          Device Identity>
constexpr auto certificates_from_a_ca(Network network, Identity of_server) {
  constexpr auto is_in = value<acme_client_key>();
  if constexpr (is_in.get()) {
    const auto names = dialing(network);
    const auto web = web_client(names, secure_dialing(names, roots<roots_of_image>()));
    const auto with = [of_server, web](auto store) {
      constexpr auto client = foreign<AcmeJobWithVaultOf>(
          "acme::Client", identity >> web_client_type >> vault >> job, ConnectAcme{});
      return client(of_server, web, store);
    };
    constexpr auto without =
        foreign<AcmeJobByOf>("acme::Client", identity >> web_client_type >> job, ConnectAcme{});
    const auto chosen = choose_by_vault<Platform>(with, without(of_server, web));
    return if_(is_in, chosen, chosen);
  } else {
    constexpr auto none = impl<NoJob>("no CA", job, ConnectNoJob{});
    return if_(is_in, none, none);
  }
}

// job: HTTP from a store on a stack, on the port that a key gives.
template <class... M>
using HttpJobOf = HttpJob<M...>;
template <const Key<Port>& port>
constexpr auto http_server() {
  return foreign<HttpJobOf>("http::Server", source >> server_stack >> job, ConnectHttpJob<port>{});
}

// job: HTTPS from a store on tls_over's stack; nothing where TLS is off.
constexpr auto https_server() {
  return foreign<HttpJobOf>("http::Server", source >> server_stack >> job, ConnectHttpsJob{});
}

// job: plain HTTP beside HTTPS: a redirect to it (308), or the site itself where TLS is off or the
// key `redirect` says so.
template <class Store, class Stack, class Secure>
struct HttpJobBeside {
  using type = HttpJob<Store, Stack>;
};
template <class... M>
using HttpJobBesideOf = typename HttpJobBeside<M...>::type;
template <const Key<Port>& port>
constexpr auto redirect_to_https() {
  return foreign<HttpJobBesideOf>("http::Server", source >> server_stack >> server_stack >> job,
                                  ConnectHttpBeside<port>{});
}

// job: /metrics, /healthz and /readyz on the management port of a stack.
template <class... M>
using ManagementJobOf = ManagementJob<M...>;
inline constexpr auto management_server =
    foreign<ManagementJobOf>("http::Metrics", server_stack >> job, ConnectManagement{});

// stack: for the management port of an appliance with one network: where the kernel has the
// sockets, some of its own, on --management-address; else the site's own stack.
template <class Platform = target::Platform, Device Site>
constexpr auto management_stack(Site site_stack) {
  if constexpr (requires(Platform & platform) { platform.net_device; }) {
    return site_stack;
  } else {
    return impl<net::Sockets>("management", stack, ConnectManagementSockets{});
  }
}

}  // namespace config
