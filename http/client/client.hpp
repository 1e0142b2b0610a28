// SPDX-License-Identifier: ISC
// http/client/client.hpp: requests to URLs.
//
// States:  Client.   Used by: acme.   May include: base, http, net/connector.hpp.
// Rules:   1. Each request has a connection of its own, which is closed after it.
//          2. Redirects are followed only as often as Limits::redirects_max says; a redirect from
//             https to http never. A POST becomes a GET by 301, 302 and 303 (RFC 9110 section
//             15.4). Another origin is sent neither Authorization nor Cookie.

#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/loop.hpp"
#include "base/or_else.hpp"
#include "http/client/fetch.hpp"
#include "http/client/message.hpp"
#include "http/client/redirect.hpp"
#include "http/url.hpp"
#include "net/connector.hpp"

namespace http::client {

using Fetched = base::Result<Response, Failure>;

// `Plain` opens connections for http, `Secure` those for https, which check the peer's certificate.
template <net::Connector Plain, net::Connector Secure>
class Client {
 public:
  // All outlive the client, and the client its fetches.
  Client(base::Loop& loop, Plain& plain, Secure& secure) noexcept
      : loop_(loop), plain_(plain), secure_(secure) {}

  // `host` and `target` of the request are those of `url`. The arguments must live until the
  // answer. Throws nothing.
  [[nodiscard]] base::OrElse<Fetched> fetch(std::string_view url, const Request& request,
                                            const Limits& limits) noexcept {
    return base::attempt<Fetched>([&, this] { return follow(url, request, limits); },
                                  base::failure(Failure{Error::no_memory}));
  }

 private:
  base::Task<Fetched> follow(std::string_view url, const Request& request, const Limits& limits) {
    try {
      const base::Instant until = loop_.now() + limits.total;
      Journey journey(url, request, limits.redirects_max);
      for (;;) {
        const std::optional<Step> step = journey.next();
        if (!step) co_return base::failure(journey.failure());
        Limits left = limits;
        left.total = std::max(until - loop_.now(), base::Duration(0));
        base::Task<Fetched> asked =
            step->origin.is_secure ? ask(secure_, *step, left) : ask(plain_, *step, left);
        Fetched answer = co_await asked;
        if (!answer || !journey.is_redirect(*answer)) co_return std::move(answer);
      }
    } catch (const std::bad_alloc&) {
      co_return base::failure(Failure{Error::no_memory});
    }
  }

  template <net::Connector C>
  base::Task<Fetched> ask(C& connector, const Step& step, Limits limits) {
    const base::Instant until = loop_.now() + limits.total;
    net::ConnectResult<typename C::Flow> flow =
        co_await connector.connect(step.origin.host, step.origin.port, limits.total);
    if (!flow) co_return base::failure(failure_of(std::move(flow.error())));
    limits.total = std::max(until - loop_.now(), base::Duration(0));
    Answer answer = co_await client::fetch(loop_, *flow, step.request, limits);
    if (!answer) co_return base::failure(failure_at(step, answer.error()));
    co_return std::move(*answer);
  }

  base::Loop& loop_;
  Plain& plain_;
  Secure& secure_;
};

}  // namespace http::client
