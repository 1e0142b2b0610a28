// SPDX-License-Identifier: ISC
// net/resolver/cache.hpp: what a resolver has found out, until it is out of date.
//
// States:  Found, Failure, Cache.   Source: RFC 1035 section 7.4, RFC 2308 section 5.
// Bounds:  entries_max; a new entry takes the place of the one that ends first. Nothing is kept
//          for longer than a day, and no negative answer for longer than an hour.
// May include: base, net.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/resolver/message.hpp"

namespace net::resolver {

// Why there is no address. All are expected.
enum class Error : std::uint8_t {
  malformed_name,  // it cannot be a name of DNS
  no_such_name,    // a server says that it does not exist
  no_address,      // it exists and has none of the family
  no_servers,      // none is known
  failed,          // no server could or would answer
  timed_out,
  no_memory,
};

struct Found {
  std::array<Endpoint, addresses_max> addresses{};  // ports are 0
  std::uint8_t count = 0;
  [[nodiscard]] std::span<const Endpoint> all() const noexcept {
    return std::span(addresses).first(count);
  }
};
using Answer = base::Result<Found, Error>;

class Cache {
 public:
  static constexpr std::size_t entries_max = 64;
  static constexpr std::uint32_t lifetime_max_s = 86'400;
  static constexpr std::uint32_t negative_max_s = 3600;

  // Throws std::bad_alloc.
  Cache() : entries_(std::make_unique<std::array<Entry, entries_max>>()) {}

  [[nodiscard]] std::optional<Answer> find(const Name& name, Type type,
                                           base::Instant now) const noexcept;
  // Only addresses, and that there are none, are kept; nothing for 0 s.
  void keep(const Name& name, Type type, const Answer& answer, std::uint32_t lifetime_s,
            base::Instant now) noexcept;

 private:
  struct Entry {
    base::Instant until{};  // past: the place is free
    Type type = Type::a;
    Name name;
    Answer answer;
  };
  std::unique_ptr<std::array<Entry, entries_max>> entries_;
};

}  // namespace net::resolver
