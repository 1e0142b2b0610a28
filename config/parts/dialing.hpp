// SPDX-License-Identifier: ISC
// config/parts/dialing.hpp: connections to names: a resolver and Happy Eyeballs on a stack.
//
// States:  connector, a module type; dialing, which makes one of a stack; the boot key `dns`.
// Servers: those of `dns`; else, on our own stack, those that DHCP and routers name, and on the
//          kernel's sockets those of /etc/resolv.conf.
// Errors:  StartError where `dns` names no server.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/graph.hpp"
#include "config/instances.hpp"
#include "config/key.hpp"
#include "config/parts/modules.hpp"
#include "config/system_calls.hpp"
#include "net/connector.hpp"
#include "net/name_servers.hpp"
#include "net/resolver/dialer.hpp"
#include "net/resolver/resolver.hpp"
#include "net/sockets/resolv_conf.hpp"
#include "net/sockets/sockets.hpp"

namespace config {

// What opens connections to names.
struct ConnectorModule {
  static constexpr std::string_view name = "connector";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = net::Connector<T>;
};
inline constexpr Typ<ConnectorModule> connector;

inline constexpr Key<List<std::string_view>> dns{
    .name = "dns",
    .section = "NETWORK",
    .doc = "DNS servers, 192.0.2.1 or [2001:db8::1]:53; none: those that the network names",
    .fallback = ""};

// The servers that `dns` names. Throws StartError.
inline std::vector<net::Endpoint> servers_of(const List<std::string_view>& texts) {
  std::vector<net::Endpoint> servers;
  for (const std::string_view text : texts) {
    const std::optional<net::Endpoint> server = net::name_server_of(text);
    if (!server) {
      throw StartError("--dns: '" + std::string(text) +
                       "' is not a server's address; write 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 "
                       "or [2001:db8::1]:5353");
    }
    servers.push_back(*server);
  }
  if (servers.size() > net::NameServers::servers_max) {
    throw StartError("--dns: there are " + std::to_string(servers.size()) +
                     " servers; name at most " + std::to_string(net::NameServers::servers_max));
  }
  return servers;
}

// Where a stack's DNS servers come from: the stack itself knows them, or the machine it runs on.
template <class Stack>
struct NameServersBy {
  using type = net::NameServers;
  static constexpr bool is_of_stack = true;
};
template <>
struct NameServersBy<net::Sockets> {
  using type = net::sockets::ResolvConf;
  static constexpr bool is_of_stack = false;
};

template <class Stack>
class Dialing {
 public:
  using Flow = typename Stack::Flow;
  using Servers = typename NameServersBy<Stack>::type;
  using Resolver = net::resolver::Resolver<Stack, Servers>;

  Dialing(base::Loop& loop, base::Entropy& entropy, Stack& lower,
          const std::vector<net::Endpoint>& configured)
      : stack_(lower), resolver_(loop, entropy, lower, servers()), dialer_(loop, lower, resolver_) {
    if (!configured.empty()) servers().configure(configured);
  }
  Dialing(const Dialing&) = delete;
  Dialing& operator=(const Dialing&) = delete;

  [[nodiscard]] auto connect(std::string_view host, std::uint16_t port,
                             base::Duration within) noexcept {
    return dialer_.connect(host, port, within);
  }
  [[nodiscard]] Resolver& resolver() noexcept { return resolver_; }
  [[nodiscard]] Stack& stack() noexcept { return stack_; }

 private:
  struct Nothing {};
  using Own = std::conditional_t<NameServersBy<Stack>::is_of_stack, Nothing, Servers>;
  [[nodiscard]] Servers& servers() noexcept {
    if constexpr (NameServersBy<Stack>::is_of_stack) {
      return stack_.name_servers();
    } else {
      return own_;
    }
  }

  Stack& stack_;
  [[no_unique_address]] Own own_{};
  Resolver resolver_;
  net::resolver::Dialer<Stack, Resolver> dialer_;
};
static_assert(net::Connector<Dialing<net::Sockets>>);

struct ConnectDialing {
  static constexpr std::tuple keys{&dns};
  // What sockets call that are opened when the process is sealed, and the reading of the file.
  static constexpr auto system_calls = [] {
    constexpr std::array of_sockets{SYS_socket, SYS_connect, SYS_setsockopt, SYS_getsockopt,
                                    SYS_sendto, SYS_sendmsg, SYS_recvfrom,   SYS_shutdown};
    std::array<int, reading_files.size() + of_sockets.size()> calls{};
    std::ranges::copy(of_sockets, std::ranges::copy(reading_files, calls.begin()).out);
    return calls;
  }();

  template <class Stack>
  Dialing<Stack> operator()(auto& context, Stack& lower) const {
    auto& platform = context.platform;
    const std::vector<net::Endpoint> servers = servers_of(context.boot.value(dns));
    if constexpr (!NameServersBy<Stack>::is_of_stack) {
      if (servers.empty() && platform.thread_index == 0) {
        platform.read_again.emplace_back(net::sockets::ResolvConf::usual_path);
      }
    }
    return {platform.loop, platform.entropy, lower, servers};
  }
};

template <class... M>
using DialingOf = Dialing<M...>;
// connector: names on a stack, by DNS.
inline constexpr auto dialing =
    foreign<DialingOf>("net::Dialer", stack >> connector, ConnectDialing{});

}  // namespace config
