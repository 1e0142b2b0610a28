// SPDX-License-Identifier: ISC
// net/lwip/congestion.hpp: how much of a connection may be under way: the interface of a congestion
// control, without input and output.
//
// States:  Acknowledged, Congestion.   Models: net/lwip/cubic.hpp.   May include: base.
// Laws:    1. window() is at least one segment.
//          2. An acknowledgement of what used less than half of the window does not make it larger.
//          3. on_acknowledged() makes it larger by no more than was acknowledged, and never
//             smaller.
//          4. on_loss() does not make it larger, and leaves at least two segments.
//          5. on_timeout() leaves one segment.
//          6. on_undo() gives back what on_loss() and on_timeout() took last.
//          7. on_idle() does not make it larger, and leaves the initial window if it was as large.

#pragma once

#include <concepts>
#include <cstdint>

#include "base/clock.hpp"

namespace net::lwip {

// What an acknowledgement said, outside of recovery.
struct Acknowledged {
  base::Instant now{};
  std::uint32_t bytes = 0;      // that have arrived and were not known to
  base::Duration round_trip{};  // measured by it; 0: nothing was
  base::Duration smoothed{};    // the round trip so far
  bool was_used = false;        // at least half of the window was under way (RFC 7661)
  bool begins_round = false;    // all that was under way when the last round began has arrived
};

template <class C>
concept Congestion = std::constructible_from<C, std::uint32_t> &&
    requires(C control, const C& constant, const Acknowledged& acknowledged,
             base::Duration duration, std::uint32_t bytes, bool is_repairing) {
  { control.on_acknowledged(acknowledged) }
  noexcept;
  // A loss has been found, once a window; repair begins.
  { control.on_loss() }
  noexcept;
  // Nothing has come for a whole retransmission timeout; while a loss is repaired, or not.
  { control.on_timeout(is_repairing) }
  noexcept;
  // The last loss or timeout was none: everything had arrived.
  { control.on_undo() }
  noexcept;
  // Nothing has been sent for so long; and the retransmission timeout.
  { control.on_idle(duration, duration) }
  noexcept;
  // Segments have so many bytes from now on.
  { control.set_segment_bytes(bytes) }
  noexcept;
  // Bytes that may be under way.
  { constant.window() }
  noexcept->std::same_as<std::uint32_t>;
};

// RFC 6928.
inline constexpr std::uint32_t initial_segments = 10;

}  // namespace net::lwip
