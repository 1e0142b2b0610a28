// SPDX-License-Identifier: ISC
// net/resolver/failures.hpp: which addresses are tried in which order, and the sentence that says
// what came of them.
//
// States:  Candidates.   Source: RFC 8305 section 4 (interleaving).   May include: base, net.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/connector.hpp"
#include "net/resolver/cache.hpp"

namespace net::resolver {

class Candidates {
 public:
  // Answers of one family, when they come; they may come while others are tried.
  void add(Type type, const Answer& answer) noexcept;
  [[nodiscard]] bool has_heard_of(Type type) const noexcept {
    return (type == Type::a ? v4_ : v6_).answer.has_value();
  }
  // The next one to try: the families take turns, IPv6 first. Nothing: there is none now.
  [[nodiscard]] std::optional<Endpoint> next(std::uint16_t port) noexcept;
  [[nodiscard]] bool has_next() const noexcept { return v4_.has_next() || v6_.has_next(); }

  void failed(const Endpoint& address, net::Error error) noexcept;
  // "a.example:443: 2001:db8::1 did not answer in time; 192.0.2.1 refused or cannot be reached".
  // Without memory, empty. `is_late`: the time was over before all had been tried.
  [[nodiscard]] ConnectFailure failure(std::string_view host, std::uint16_t port,
                                       bool is_late) const noexcept;

 private:
  struct Family {
    std::optional<Answer> answer;
    std::size_t tried = 0;
    [[nodiscard]] bool has_next() const noexcept {
      return answer && answer->has_value() && tried < (*answer)->count;
    }
  };
  struct Failed {
    Endpoint address;
    net::Error error;
  };
  void say_lookup(std::string& out) const;

  Family v6_;
  Family v4_;
  bool last_was_v6_ = false;
  std::array<Failed, 2 * addresses_max> failed_{};
  std::size_t failed_count_ = 0;
};

}  // namespace net::resolver
