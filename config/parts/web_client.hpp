// SPDX-License-Identifier: ISC
// config/parts/web_client.hpp: a client for http and https.
//
// States:  web_client, a module type and what makes one of two connectors; SecureDialing and
//          secure_dialing, TLS to names.

#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/loop.hpp"
#include "base/or_else.hpp"
#include "config/graph.hpp"
#include "config/parts/dialing.hpp"
#include "config/parts/roots.hpp"
#include "http/client/client.hpp"
#include "net/connector.hpp"
#include "net/resolver/dialer.hpp"
#include "tls/client.hpp"

namespace config {

// A connector whose flows are TLS sessions with the host: its certificate has the name, and its
// chain ends at an anchor of `context`. Addresses race as whole handshakes do.
template <class Stack>
class SecureDialing {
 public:
  using Secure = tls::Client<Stack>;
  using Flow = typename Secure::Flow;

  // `names` and `loop` outlive it.
  SecureDialing(base::Loop& loop, Dialing<Stack>& names,
                std::shared_ptr<const tls::ClientContext> context)
      : loop_(loop), dialing_(names), client_(names.stack(), loop, std::move(context)) {}

  [[nodiscard]] base::OrElse<net::ConnectResult<Flow>> connect(std::string_view host,
                                                               std::uint16_t port,
                                                               base::Duration within) noexcept {
    return base::attempt<net::ConnectResult<Flow>>([&, this] { return dial(host, port, within); },
                                                   base::failure(net::ConnectFailure{}));
  }

 private:
  base::Task<net::ConnectResult<Flow>> dial(std::string_view host, std::uint16_t port,
                                            base::Duration within) {
    try {
      typename Secure::Named named = client_.to(host);
      net::resolver::Dialer<typename Secure::Named, typename Dialing<Stack>::Resolver> dialer(
          loop_, named, dialing_.resolver());
      net::ConnectResult<Flow> flow = co_await dialer.connect(host, port, within);
      // TLS knows better what failed than that the address did.
      if (!flow && named.problem().why != tls::Refusal::none) {
        flow.error().what += (flow.error().what.empty() ? "" : "; ") + named.problem().text;
      }
      co_return std::move(flow);
    } catch (const std::bad_alloc&) {
      co_return base::failure(net::ConnectFailure{});
    }
  }

  base::Loop& loop_;
  Dialing<Stack>& dialing_;
  Secure client_;
};

struct ConnectSecureDialing {
  static constexpr std::tuple<> keys{};

  template <class Stack>
  SecureDialing<Stack> operator()(auto& context, Dialing<Stack>& names, Roots& trusted) const {
    auto& platform = context.platform;
    return {platform.loop, names,
            std::make_shared<const tls::ClientContext>(trusted.anchors(), platform.entropy)};
  }
};
template <class Names, class Trusted>
struct SecureDialingBy;
template <class Stack>
struct SecureDialingBy<Dialing<Stack>, Roots> {
  using type = SecureDialing<Stack>;
};
template <class... M>
using SecureDialingOf = typename SecureDialingBy<M...>::type;
// connector: TLS to the names of `dialing`, with those that are trusted.
inline constexpr auto secure_dialing = foreign<SecureDialingOf>(
    "tls::Client", connector >> Typ<RootsModule>{} >> connector, ConnectSecureDialing{});

struct WebClientModule {
  static constexpr std::string_view name = "web_client";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = requires(T& client, std::string_view url,
                                         const http::client::Request& request,
                                         const http::client::Limits& limits) {
    { client.fetch(url, request, limits) } -> base::AwaitableOf<http::client::Fetched>;
  };
};
inline constexpr Typ<WebClientModule> web_client_type;

struct ConnectWebClient {
  template <class Plain, class Secure>
  http::client::Client<Plain, Secure> operator()(auto& context, Plain& plain,
                                                 Secure& secure) const {
    return {context.platform.loop, plain, secure};
  }
};
template <class... M>
using WebClientOf = http::client::Client<M...>;
// web_client: what opens connections for http, and what does for https.
inline constexpr auto web_client = foreign<WebClientOf>(
    "http::Client", connector >> connector >> web_client_type, ConnectWebClient{});

}  // namespace config
