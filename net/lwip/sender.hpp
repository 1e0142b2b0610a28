// SPDX-License-Identifier: ISC
// net/lwip/sender.hpp: what a connection sends and when: in the place of lwIP's own rules for
// congestion, loss and time.
//
// Method:  lwIP keeps its lists of segments and its state machine, and its files are as they came.
//          It calls us for each segment that comes (crunch_lwip_segment), before it would send
//          (crunch_lwip_tcp_output) and for each segment that goes out (crunch_lwip_segment_out).
//          Its own rules are off: `rtime` is -1 when it would count duplicates or time, so that it
//          does neither, and `cwnd` is set before each output to what may go. What is lost is moved
//          from `unacked` to `unsent`, as much as may go now.
// States:  open -> recovering, by a loss, until all that had been sent by then is acknowledged ->
//          open. From either, by a timeout: lost, until the same.
// Rules:   1. What is lost: net/lwip/scoreboard.hpp. How much may be under way: a Congestion, and
//             while recovering proportional rate reduction (RFC 9937).
//          2. If nothing comes for two round trips, the last segment or a new one is sent as a
//             probe, once (TLP, RFC 8985 section 7); after that the retransmission timeout counts
//             (RFC 6298).
//          3. After `timeouts_max` timeouts in a row the connection is given up.
//          4. If the peer had all that was sent again twice, nothing had been lost: the window is
//             as before (RFC 3708).
// Owns:    nothing of lwIP's; lwIP frees it with its pcb, so a connection whose owner has left
//          keeps it.

#pragma once

#include <cstdint>

#include <lwip/err.h>

#include "base/bytes.hpp"
#include "base/loop.hpp"
#include "net/lwip/cubic.hpp"
#include "net/lwip/round_trip.hpp"
#include "net/lwip/scoreboard.hpp"

struct tcp_pcb;
struct tcp_seg;

namespace net::lwip {

class Clockwork;

// A segment from the peer.
struct Heard {
  std::uint32_t acknowledged = 0;
  std::uint32_t window = 0;  // as announced, before scaling
  bool is_plain = false;     // without data, SYN and FIN
  base::Bytes options;
};

class Sender final : public base::Timer {
 public:
  static constexpr unsigned timeouts_max = 12;

  // The pcb's own from now on, until lwIP frees it. False: no memory.
  [[nodiscard]] static bool attach(tcp_pcb& pcb, base::Loop& loop, Clockwork& clockwork) noexcept;
  // Null: the pcb has none (it is a listener's, or not connected).
  [[nodiscard]] static Sender* of(const tcp_pcb& pcb) noexcept;
  ~Sender() = default;

  // Bytes that may be under way.
  [[nodiscard]] std::uint32_t window() const noexcept { return control_.window(); }
  // Whether anything has been sent on the connection: from then on lwIP's timer is not used.
  [[nodiscard]] bool is_started() const noexcept { return is_started_; }

  // ---- What lwIP calls.
  // A SYN went out: `at` first or again.
  void on_syn() noexcept;
  // Before lwIP works on a segment for a connection that is not new any more.
  void on_segment(const Heard& heard) noexcept;
  void on_transmit(Range range) noexcept;
  // In the place of tcp_output.
  err_t output() noexcept { return output(0); }
  // Before bytes are queued: has it been idle?
  void before_write() noexcept;

 private:
  enum class State : std::uint8_t { open, recovering, lost };
  enum class Wait : std::uint8_t { nothing, probe, reordering, timeout };

  Sender(tcp_pcb& pcb, base::Loop& loop, Clockwork& clockwork) noexcept;
  void expired() override;

  // Whether that told of a new loss.
  bool find_losses(const Heard& heard, const Scoreboard::Delivery& delivery) noexcept;
  void begin_recovery(std::uint32_t in_flight_before) noexcept;
  void see_doubled() noexcept;
  void see_end_of_probe(const Scoreboard::Delivery& delivery, std::uint32_t acknowledged) noexcept;
  void reduce_rate(std::uint32_t delivered, bool is_safe) noexcept;
  void grow(const Scoreboard::Delivery& delivery) noexcept;

  [[nodiscard]] std::int64_t room() const noexcept;
  // Moves what is lost to what lwIP will send, up to `room` bytes; returns what is left of it.
  std::int64_t resend_lost(std::int64_t room) noexcept;
  // `more`: may go beyond the window.
  err_t output(std::int64_t more) noexcept;
  void wait() noexcept;
  [[nodiscard]] bool may_probe() const noexcept;
  void on_probe_time() noexcept;
  void on_timeout() noexcept;

  tcp_pcb& pcb_;
  base::Loop& loop_;
  Clockwork& clockwork_;
  Scoreboard board_;
  RoundTrip round_trip_;
  Cubic control_;
  State state_ = State::open;
  Wait wait_ = Wait::nothing;
  bool is_started_ = false;
  bool has_sent_ = false;  // since output() began
  bool has_sent_new_ = false;
  bool has_progress_ = false;  // since wait(): something has arrived
  Range last_sent_;

  unsigned syn_count_ = 0;
  base::Instant syn_at_{};
  std::uint32_t segment_bytes_;
  std::uint32_t recover_ = 0;             // the state ends when this is acknowledged
  std::uint32_t round_end_ = 0;           // a round trip's
  std::uint32_t flight_most_ = 0;         // in this round
  std::uint32_t flight_most_before_ = 0;  // in the one before
  unsigned timeouts_ = 0;                 // in a row

  // RFC 9937.
  std::uint64_t delivered_ = 0;
  std::uint64_t sent_out_ = 0;
  std::uint32_t flight_at_loss_ = 1;
  std::int64_t may_send_ = 0;

  // Rule 4.
  unsigned resent_count_ = 0;
  unsigned doubled_count_ = 0;

  // Rule 2.
  bool has_probed_ = false;
  bool is_probe_resent_ = false;
  std::uint32_t probe_end_ = 0;
};

}  // namespace net::lwip
