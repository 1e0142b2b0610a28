// SPDX-License-Identifier: ISC
// net/resolver/lookup.hpp: one search for the addresses of a name, as a machine without I/O.
//
// States:  udp  the question goes to a server by UDP, and answers are waited for
//          tcp  the same by TCP (RFC 7766)
//          done there is an answer
//
//          udp -> udp (no answer, or a failure: the next server; an alias: the next name)
//          udp -> tcp (truncated, or so many foreign answers that somebody seems to guess)
//          udp, tcp -> done;  tcp -> udp (as above)
// Rules:   1. Each time that a question goes out it has a new id; the stack has a new port.
//          2. Each server is asked rounds_max times; the second time it has longer to answer.
//          3. An alias that the answer does not follow is asked for, at most aliases_max times in
//             all: a circle ends.
// Source:  RFC 1035 section 7, RFC 5452 section 9.
// May include: base, net.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/entropy.hpp"
#include "net/name_servers.hpp"
#include "net/resolver/cache.hpp"
#include "net/resolver/message.hpp"

namespace net::resolver {

class Lookup {
 public:
  enum class Next : std::uint8_t { udp, tcp, done };

  static constexpr unsigned rounds_max = 2;
  static constexpr unsigned foreign_max = 16;  // answers to one question that are not to it
  static constexpr base::Duration first_patience = std::chrono::seconds(2);
  static constexpr base::Duration tcp_patience = std::chrono::seconds(5);

  // `entropy` outlives it.
  Lookup(base::Entropy& entropy, const Name& name, Type type,
         const NameServers::List& servers) noexcept;

  [[nodiscard]] Next next() const noexcept { return next_; }
  // Of a question that goes out now, until `heard` answers true or `missed`:
  [[nodiscard]] const Endpoint& server() const noexcept { return servers_.all()[server_]; }
  [[nodiscard]] base::Bytes question() noexcept;
  [[nodiscard]] base::Duration patience() const noexcept;
  // An answer has come. True: next() says how to go on; false: the right one may yet come.
  [[nodiscard]] bool heard(base::Bytes message) noexcept;
  // None will come.
  void missed() noexcept;

  // Once it is done.
  [[nodiscard]] const Answer& answer() const noexcept { return answer_; }
  [[nodiscard]] std::uint32_t lifetime_s() const noexcept { return lifetime_s_; }

 private:
  void begin() noexcept;
  void give_up_server(Error why) noexcept;
  void finish(const Answer& answer, std::uint32_t lifetime_s) noexcept;
  void turn_to(const Reply& reply) noexcept;

  base::Entropy& entropy_;
  NameServers::List servers_;
  Question question_;
  std::array<std::byte, question_bytes_max> bytes_{};
  Next next_ = Next::udp;
  std::size_t server_ = 0;
  unsigned round_ = 0;
  unsigned foreign_count_ = 0;
  unsigned alias_count_ = 0;
  std::uint32_t lifetime_s_ = ~std::uint32_t{0};
  Answer answer_ = base::failure(Error::timed_out);
};

}  // namespace net::resolver
