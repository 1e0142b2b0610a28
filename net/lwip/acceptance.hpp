// SPDX-License-Identifier: ISC
// net/lwip/acceptance.hpp: which segments lwIP may work on: the checks of RFC 9293 section 3.10.7
// and of RFC 5961 that it does not make.
//
// Rules:   1. A segment without ACK is dropped, but for what a SYN or a RST needs.
//          2. One that acknowledges what was never sent, or what is older than any window, is
//             answered by an acknowledgement and dropped.
//          3. A SYN of an established connection, a RST that is in the window but not next, and a
//             segment beyond the window are, too: whoever guesses addresses, ports and a number in
//             the window can neither end a connection nor put bytes into it.
//          4. Such an answer goes out once in `challenge_interval` for each connection, so that two
//             ends that disagree do not answer each other for ever; always for data, as with Linux.
//          5. A listener takes a SYN that has no FIN.
// Source:  RFC 9293, RFC 5961, Linux's tcp_validate_incoming and tcp_ack.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

struct tcp_pcb;

namespace net::lwip {

// A segment whose addresses and ports are those of a connection or of a listener.
struct Arrived {
  unsigned flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  std::size_t bytes = 0;  // of payload
};

inline constexpr base::Duration challenge_interval = std::chrono::milliseconds(500);

enum class Verdict : std::uint8_t {
  take,       // lwIP may work on it
  drop,       // not a word
  challenge,  // our acknowledgement says what is expected, if one has not just gone out
  answer,     // the same, always
};

[[nodiscard]] Verdict examine(const tcp_pcb& pcb, const Arrived& segment) noexcept;

}  // namespace net::lwip
