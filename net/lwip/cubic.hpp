// SPDX-License-Identifier: ISC
// net/lwip/cubic.hpp: the congestion control of most hosts: CUBIC, whose window grows with the time
// since the last loss, and HyStart++, which ends the first slow start when delays grow.
//
// Models:  net::lwip::Congestion.
// States:  slow start (conservative, once delays grow) -> congestion avoidance, below and above the
//          window of the last loss -> by a loss to its beginning, by a timeout to slow start.
// Source:  RFC 9438, RFC 9406; the window after idle time as RFC 2861 and Linux have it.

#pragma once

#include <cstdint>
#include <limits>

#include "net/lwip/congestion.hpp"

namespace net::lwip {

class Cubic {
 public:
  explicit Cubic(std::uint32_t segment_bytes) noexcept;

  void on_acknowledged(const Acknowledged& acknowledged) noexcept;
  void on_loss() noexcept;
  void on_timeout(bool is_repairing) noexcept;
  void on_undo() noexcept;
  void on_idle(base::Duration idle, base::Duration timeout) noexcept;
  void set_segment_bytes(std::uint32_t bytes) noexcept;
  [[nodiscard]] std::uint32_t window() const noexcept;
  [[nodiscard]] bool is_in_slow_start() const noexcept { return window_ < threshold_; }

 private:
  static constexpr double unknown = std::numeric_limits<double>::infinity();

  // What a loss changes; bytes.
  struct Saved {
    double window = 0;
    double threshold = unknown;
    double window_max = 0;
  };

  void shrink() noexcept;
  void watch_delay(const Acknowledged& acknowledged) noexcept;
  [[nodiscard]] double grow_slowly(const Acknowledged& acknowledged) noexcept;

  double segment_;
  double window_;
  double threshold_ = unknown;
  Saved before_;
  bool can_undo_ = false;

  // RFC 9438; bytes and seconds.
  double window_max_ = 0;        // before the last loss
  double window_prior_ = 0;      // the same, without fast convergence
  double window_estimated_ = 0;  // Reno's
  double k_ = 0;                 // from the epoch's begin until the window is window_max_ again
  bool has_epoch_ = false;
  base::Instant epoch_{};
  base::Instant last_{};  // acknowledgement

  // RFC 9406; seconds.
  double round_least_ = unknown;
  double last_round_least_ = unknown;
  double least_before_ = unknown;  // when the conservative part began
  unsigned samples_ = 0;
  unsigned conservative_rounds_ = 0;
  bool is_conservative_ = false;
};

static_assert(Congestion<Cubic>);

}  // namespace net::lwip
