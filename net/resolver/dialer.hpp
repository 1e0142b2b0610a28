// SPDX-License-Identifier: ISC
// net/resolver/dialer.hpp: flows to names: Happy Eyeballs, version 2.
//
// Models:  net::Connector.   Used by: http/client, config/parts.
// Source:  RFC 8305: both families are looked up at once; an IPv4 answer waits resolution_delay for
//          the other; addresses are tried in turns, the next one attempt_delay after the last or as
//          soon as all under way have failed. The first that is connected wins, and the others are
//          closed.
// May include: base, net.

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "base/loop.hpp"
#include "base/or_else.hpp"
#include "base/running.hpp"
#include "net/connector.hpp"
#include "net/resolver/failures.hpp"
#include "net/resolver/resolver.hpp"
#include "net/stack.hpp"

namespace net::resolver {

// `Lookups` is a Resolver, or what answers as one.
template <ClientStack Stack, class Lookups>
requires requires(Lookups& lookups, std::string_view name, Type type, base::Duration within) {
  { lookups.lookup(name, type, within) } -> base::AwaitableOf<Answer>;
}
class Dialer {
 public:
  using Flow = typename Stack::Flow;
  static constexpr base::Duration resolution_delay = std::chrono::milliseconds(50);
  static constexpr base::Duration attempt_delay = std::chrono::milliseconds(250);

  // All outlive the dialer, and the dialer what it connects.
  Dialer(base::Loop& loop, Stack& stack, Lookups& lookups) noexcept
      : loop_(loop), stack_(stack), lookups_(lookups) {}

  [[nodiscard]] base::OrElse<ConnectResult<Flow>> connect(std::string_view host, std::uint16_t port,
                                                          base::Duration within) noexcept {
    return base::attempt<ConnectResult<Flow>>([&, this] { return race(host, port, within); },
                                              base::failure(ConnectFailure{}));
  }

 private:
  static constexpr std::size_t attempts_max = 2 * addresses_max;

  // What the tasks of one race share. It is destroyed after them.
  struct Race {
    explicit Race(base::Loop& loop) noexcept : news(loop) {}
    base::Signal news;
    Candidates candidates;
    std::optional<Flow> winner;
    std::size_t under_way = 0;
  };

  base::Task<void> look_up(Race& race, std::string_view host, Type type, base::Duration within) {
    const Answer answer = co_await lookups_.lookup(host, type, within);
    race.candidates.add(type, answer);
    race.news.notify();
  }

  base::Task<void> attempt(Race& race, Endpoint to, base::Duration within) {
    net::Error error = net::Error::reset;
    try {
      Result<Flow> flow = co_await stack_.connect(to, within);
      if (flow && !race.winner) race.winner.emplace(std::move(*flow));
      if (!flow) error = flow.error();
    } catch (const std::exception&) {  // no memory, most likely
      error = net::Error::reset;
    }
    if (!race.winner) race.candidates.failed(to, error);
    --race.under_way;
    race.news.notify();
  }

  base::Task<ConnectResult<Flow>> race(std::string_view host, std::uint16_t port,
                                       base::Duration within) {
    const base::Instant until = loop_.now() + within;
    Race race(loop_);
    try {
      base::Running v6 = base::Running::start(look_up(race, host, Type::aaaa, within));
      base::Running v4 = base::Running::start(look_up(race, host, Type::a, within));
      std::array<std::optional<base::Running>, attempts_max> attempts;
      std::size_t attempt_count = 0;
      base::Instant next_at = loop_.now();
      bool has_delayed = false;
      while (!race.winner && loop_.now() < until) {
        const bool heard_all =
            race.candidates.has_heard_of(Type::a) && race.candidates.has_heard_of(Type::aaaa);
        const bool has_next = race.candidates.has_next();
        if (!has_next && heard_all && race.under_way == 0) break;
        if (has_next && !has_delayed) {
          has_delayed = true;
          if (!race.candidates.has_heard_of(Type::aaaa)) next_at = loop_.now() + resolution_delay;
        }
        if (attempt_count == 0 && heard_all) next_at = std::min(next_at, loop_.now());
        const bool is_due = loop_.now() >= next_at || (attempt_count > 0 && race.under_way == 0);
        if (has_next && is_due) {
          const Endpoint to = *race.candidates.next(port);
          ++race.under_way;
          attempts.at(attempt_count++)
              .emplace(base::Running::start(attempt(race, to, until - loop_.now())));
          next_at = loop_.now() + attempt_delay;
          continue;
        }
        co_await race.news.wait_until(has_next ? std::min(next_at, until) : until);
      }
    } catch (const std::bad_alloc&) {
      co_return base::failure(ConnectFailure{});
    }
    if (race.winner) co_return std::move(*race.winner);
    co_return base::failure(race.candidates.failure(host, port, loop_.now() >= until));
  }

  base::Loop& loop_;
  Stack& stack_;
  Lookups& lookups_;
};

}  // namespace net::resolver
