// SPDX-License-Identifier: ISC
// http/h2/recent_streams.hpp: what nghttp2 does not remember of a peer's streams: which of the last
// ones the peer has ended itself, and which of the next ones it has said the priority of.
//
// States:      RecentStreams.   Used by: http/h2/session.
// Source:      RFC 9113 sections 5.1 and 5.1.1, RFC 9218 section 7.1.
// May include: std.

#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>

namespace http::h2 {

class RecentStreams {
 public:
  // Of earlier and of later ones nothing is known.
  static constexpr std::int32_t streams_max = 256;

  enum class State : std::uint8_t {
    unknown,
    skipped,  // never opened, though a later one was: closed by that
    open,     // as far as the peer is concerned, which may not know yet that it was reset
    ended,    // the peer has said that it sends no more
  };

  // `id` is a client's: odd.
  [[nodiscard]] bool is_new(std::int32_t id) const noexcept { return id > last_; }
  // It is new.
  void open(std::int32_t id) noexcept {
    if (is_far_ahead(id)) {
      opened_.reset();
      ended_.reset();
      prioritized_.reset();
    }
    last_was_prioritized_ = prioritized_[place_of(id)];
    for (std::int32_t each = std::max(last_, id - 2 * streams_max); each != id;) {
      each += 2;
      opened_.reset(place_of(each));
      ended_.reset(place_of(each));
      prioritized_.reset(place_of(each));
    }
    opened_.set(place_of(id));
    last_ = id;
  }
  void end(std::int32_t id) noexcept {
    if (state_of(id) == State::open) ended_.set(place_of(id));
  }
  [[nodiscard]] State state_of(std::int32_t id) const noexcept {
    if (is_new(id) || (last_ - id) / 2 >= streams_max) return State::unknown;
    if (!opened_[place_of(id)]) return State::skipped;
    return ended_[place_of(id)] ? State::ended : State::open;
  }

  // How urgent a stream is that is yet to be opened was said.
  void prioritize(std::int32_t id) noexcept {
    if (is_new(id) && !is_far_ahead(id)) prioritized_.set(place_of(id));
  }
  // That was said of the one opened last, before it was.
  [[nodiscard]] bool last_was_prioritized() const noexcept { return last_was_prioritized_; }

 private:
  // Nothing is kept that is known of it. With 64 bits: the last id less -1 has more than 31.
  [[nodiscard]] bool is_far_ahead(std::int32_t id) const noexcept {
    return (std::int64_t{id} - last_) / 2 > streams_max;
  }
  static std::size_t place_of(std::int32_t id) noexcept {
    return static_cast<std::size_t>(id / 2) % streams_max;
  }

  std::int32_t last_ = -1;  // none
  std::bitset<streams_max> opened_;
  std::bitset<streams_max> ended_;
  std::bitset<streams_max> prioritized_;
  bool last_was_prioritized_ = false;
};

}  // namespace http::h2
