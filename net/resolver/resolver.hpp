// SPDX-License-Identifier: ISC
// net/resolver/resolver.hpp: the addresses of a name, by DNS over any stack.
//
// States:  Resolver.   Used by: net/resolver/dialer.hpp, config/parts.
// Source:  RFC 1035; RFC 5452 (what makes answers hard to forge); RFC 6761 section 6 (names that
//          are not asked for); RFC 7766 and RFC 9210 (TCP).
// Rules:   1. A text that is an address is that address. "localhost" and names below it are
//             loopback; "invalid" and "onion" and names below them do not exist. None is asked.
//          2. No search list: a name is asked for as it is.
//          3. Servers are read anew for each lookup, from NameServers.
// May include: base, net.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/entropy.hpp"
#include "base/loop.hpp"
#include "base/or_else.hpp"
#include "net/datagrams.hpp"
#include "net/name_servers.hpp"
#include "net/resolver/cache.hpp"
#include "net/resolver/lookup.hpp"
#include "net/resolver/special.hpp"
#include "net/stack.hpp"

namespace net::resolver {

// What names servers, and may have to look first whether it still does.
template <class S>
concept ServerSource = requires(S& source, base::Instant now) {
  { source.list(now) } -> std::convertible_to<NameServers::List>;
};

template <class Stack, ServerSource Servers = NameServers>
requires ClientStack<Stack> && DatagramStack<Stack>
class Resolver {
 public:
  // All outlive the resolver, and the resolver its lookups. Throws std::bad_alloc.
  Resolver(base::Loop& loop, base::Entropy& entropy, Stack& stack, Servers& servers)
      : loop_(loop), entropy_(entropy), stack_(stack), servers_(servers) {}

  // The addresses of one family, after at most `within`. `name` need only live for the call.
  // Throws nothing.
  [[nodiscard]] base::OrElse<Answer> lookup(std::string_view name, Type type,
                                            base::Duration within) noexcept {
    if (const std::optional<Answer> known = known_without_asking(name, type)) {
      return base::OrElse<Answer>(*known);
    }
    const std::optional<Name> asked = Name::from_text(name);
    if (!asked) return base::OrElse<Answer>(base::failure(Error::malformed_name));
    if (const auto kept = cache_.find(*asked, type, loop_.now())) {
      return base::OrElse<Answer>(*kept);
    }
    return base::attempt<Answer>([&, this] { return ask(*asked, type, within); },
                                 base::failure(Error::no_memory));
  }

 private:
  base::Task<Answer> ask(Name name, Type type, base::Duration within) {
    try {
      const base::Instant until = loop_.now() + within;
      Lookup lookup(entropy_, name, type, servers_.list(loop_.now()));
      while (lookup.next() != Lookup::Next::done) {
        if (loop_.now() >= until) co_return base::failure(Error::timed_out);
        const base::Instant patience = std::min(until, loop_.now() + lookup.patience());
        if (lookup.next() == Lookup::Next::udp) {
          co_await ask_by_udp(lookup, patience);
        } else {
          co_await ask_by_tcp(lookup, patience);
        }
      }
      cache_.keep(name, type, lookup.answer(), lookup.lifetime_s(), loop_.now());
      co_return lookup.answer();
    } catch (const std::bad_alloc&) {
      co_return base::failure(Error::no_memory);
    }
  }

  base::Task<void> ask_by_udp(Lookup& lookup, base::Instant until) {
    Result<typename Stack::Datagrams> datagrams = stack_.open_datagrams(lookup.server());
    if (!datagrams || !datagrams->send(lookup.question())) {
      lookup.missed();
      co_return;
    }
    for (;;) {
      const Result<Bytes> message =
          co_await datagrams->receive(std::max(until - loop_.now(), base::Duration(0)));
      if (!message) {
        lookup.missed();
        co_return;
      }
      if (lookup.heard(*message)) co_return;
      if (loop_.now() >= until) {
        lookup.missed();
        co_return;
      }
    }
  }

  base::Task<void> ask_by_tcp(Lookup& lookup, base::Instant until) {
    const auto left = [&] { return std::max(until - loop_.now(), base::Duration(0)); };
    const Endpoint server = lookup.server();
    Result<typename Stack::Flow> flow = co_await stack_.connect(server, left());
    if (!flow) {
      lookup.missed();
      co_return;
    }
    const Bytes question = lookup.question();
    const std::array<std::byte, 2> size{static_cast<std::byte>(question.size() >> 8U),
                                        static_cast<std::byte>(question.size())};
    const std::array<Piece, 2> pieces{Piece{size}, Piece{question}};
    const Result<void> sent = co_await flow->write(pieces, left());
    std::vector<std::byte> message;
    std::size_t wanted = 2;  // and once the length is there, the message too
    while (sent && message.size() < wanted && loop_.now() < until) {
      const Result<Bytes> bytes = co_await flow->read(wanted - message.size(), left());
      if (!bytes) break;
      message.insert(message.end(), bytes->begin(), bytes->end());
      if (message.size() == 2) wanted += length_of(message);
    }
    if (wanted == 2 || message.size() < wanted) {
      lookup.missed();
    } else {
      static_cast<void>(lookup.heard(Bytes(message).subspan(2)));
    }
  }
  static std::size_t length_of(const std::vector<std::byte>& message) {
    return std::to_integer<std::size_t>(message[0]) << 8U |
           std::to_integer<std::size_t>(message[1]);
  }

  base::Loop& loop_;
  base::Entropy& entropy_;
  Stack& stack_;
  Servers& servers_;
  Cache cache_;
};

}  // namespace net::resolver
