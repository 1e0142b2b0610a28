// SPDX-License-Identifier: ISC
// net/lwip/scoreboard.hpp: what of a connection is under way, what the peer has, and what is lost.
//
// States:  each sent range: under way -> arrived (selectively acknowledged) or lost -> under way
//          again; until it is acknowledged.
// Rules:   1. A range is lost when one that was sent later has arrived, and a round trip and a
//             little time for reordering have passed since it was sent (RACK, RFC 8985).
//          2. From a peer without selective acknowledgement the first range is lost after three
//             duplicates, and the next first one when that is acknowledged (RFC 6582).
//          3. in_flight() is the sum of the ranges that are under way.
// Bound:   `ranges_max`; above it, or without memory, what is sent joins the range before it.
// Owns:    the ranges, which are lwIP's memory (net/lwip/memory.hpp) if they are more than a few.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/clock.hpp"

namespace net::lwip {

// A range of sequence numbers.
struct Range {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// Sequence numbers wrap (RFC 9293 section 3.4).
[[nodiscard]] inline bool is_before(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) < 0;
}

class Scoreboard {
 public:
  struct Sent : Range {
    base::Instant at{};
    bool has_arrived : 1 = false;
    bool is_lost : 1 = false;
    bool is_queued : 1 = false;  // lost, and with lwIP to be sent again
    bool was_resent : 1 = false;
  };

  // What an acknowledgement told.
  struct Delivery {
    std::uint32_t bytes = 0;      // that were not known to have arrived
    base::Duration round_trip{};  // of the last range that was sent once; 0: none
    bool is_advance = false;      // the first range, or a part of it, is acknowledged
    bool has_blocks = false;
    bool has_doubled = false;  // the peer had got something twice (RFC 2883)
  };

  static constexpr std::size_t ranges_max = 16'384;
  // RFC 8985 section 7.2 and RFC 5681.
  static constexpr unsigned duplicates_max = 3;

  Scoreboard() noexcept = default;
  ~Scoreboard();
  Scoreboard(const Scoreboard&) = delete;
  Scoreboard& operator=(const Scoreboard&) = delete;

  // Nothing is under way; `sequence` is the first number that will be sent.
  void start(std::uint32_t sequence) noexcept;
  // Has been handed to the device; new, or again.
  void on_sent(Range range, base::Instant now) noexcept;
  // The device did not take what on_sent() has just told of.
  void on_refused(Range range) noexcept;
  // All before `sequence` has arrived, and the blocks. A duplicate counts only without blocks.
  Delivery on_acknowledgement(std::uint32_t sequence, std::span<const Range> blocks,
                              base::Instant now, base::Duration least_round_trip) noexcept;
  // Rule 1. Returns whether something has been lost; `again_at()`: look again then.
  bool find_lost(base::Instant now, base::Duration least_round_trip, base::Duration smoothed,
                 bool is_recovering) noexcept;
  // Rule 2. Returns whether something has been lost.
  bool on_duplicate(bool has_more_to_send) noexcept;
  bool lose_first() noexcept;
  // The last range, as if it were lost: a probe sends it again.
  bool lose_last() noexcept;
  // What is lost at this index has been given to lwIP to be sent again.
  void queue(std::size_t index) noexcept;
  // A timeout: whatever has not arrived is lost.
  void lose_all() noexcept;
  // Overtaking was taken for a loss: from now on, more time is allowed.
  void allow_more_reordering() noexcept;

  [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] Sent& at(std::size_t index) noexcept {
    return ranges_[(first_ + index) & (capacity_ - 1)];
  }
  [[nodiscard]] std::uint32_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] std::uint32_t acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] std::uint32_t end() const noexcept { return end_; }
  [[nodiscard]] bool has_arrivals() const noexcept { return arrived_count_ > 0; }
  [[nodiscard]] bool has_lost() const noexcept { return lost_count_ > 0; }
  [[nodiscard]] base::Instant again_at() const noexcept { return again_at_; }
  // Of the last one that was sent, or sent again.
  [[nodiscard]] base::Instant last_sent_at() const noexcept { return last_sent_at_; }

 private:
  [[nodiscard]] std::size_t index_of(std::uint32_t sequence) noexcept;
  [[nodiscard]] bool make_room() noexcept;
  void append(const Sent& sent) noexcept;
  bool split(std::size_t index, std::uint32_t at) noexcept;
  void remove_first() noexcept;
  void set_in_flight(Sent& sent, bool is) noexcept;
  void arrive(Sent& sent, base::Instant now, Delivery& delivery) noexcept;
  void lose(Sent& sent) noexcept;
  void see_delivered(const Sent& sent, base::Instant now) noexcept;

  // A power of two; in place as long as there are few.
  std::array<Sent, 4> few_{};
  Sent* ranges_ = few_.data();
  std::size_t capacity_ = few_.size();
  std::size_t first_ = 0;
  std::size_t count_ = 0;

  std::uint32_t acknowledged_ = 0;
  std::uint32_t end_ = 0;
  std::uint32_t in_flight_ = 0;
  std::size_t arrived_count_ = 0;
  std::size_t lost_count_ = 0;  // and not queued
  unsigned duplicates_ = 0;
  base::Instant last_sent_at_{};
  base::Duration least_round_trip_{};

  // RACK: of the last range sent among those that have arrived.
  base::Instant newest_at_{};
  std::uint32_t newest_end_ = 0;
  base::Duration newest_round_trip_{};
  std::uint32_t highest_arrived_ = 0;
  bool has_seen_reordering_ = false;
  unsigned reordering_steps_ = 1;  // quarters of the least round trip
  base::Instant again_at_ = base::never;
};

}  // namespace net::lwip
