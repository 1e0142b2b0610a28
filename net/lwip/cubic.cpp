// SPDX-License-Identifier: ISC
#include "net/lwip/cubic.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace net::lwip {

namespace {

// RFC 9438 sections 4.1, 4.3 and 4.6.
constexpr double c = 0.4;
constexpr double beta = 0.7;
constexpr double alpha = 3 * (1 - beta) / (1 + beta);
constexpr double least_segments = 2;

// RFC 9406 section 4.3.
constexpr double delay_growth_least = 0.004;
constexpr double delay_growth_most = 0.016;
constexpr double delay_divisor = 8;
constexpr unsigned samples_least = 8;
constexpr double conservative_divisor = 4;
constexpr unsigned conservative_rounds = 5;
constexpr double burst_segments = 8;

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Cubic::Cubic(std::uint32_t segment_bytes) noexcept
    : segment_(segment_bytes), window_(initial_segments * segment_) {}

std::uint32_t Cubic::window() const noexcept {
  constexpr double most = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::uint32_t>(std::clamp(window_, segment_, most));
}

void Cubic::set_segment_bytes(std::uint32_t bytes) noexcept {
  segment_ = bytes;
  window_ = std::max(window_, segment_);
}

void Cubic::on_acknowledged(const Acknowledged& acknowledged) noexcept {
  const base::Duration since = acknowledged.now - std::exchange(last_, acknowledged.now);
  if (!acknowledged.was_used) {
    // Time in which the window was not used does not count (RFC 9438 section 5.8).
    if (has_epoch_) epoch_ += since;
    return;
  }
  double growth = 0;
  if (is_in_slow_start()) {
    if (threshold_ == unknown) watch_delay(acknowledged);
    growth = std::min<double>(acknowledged.bytes, burst_segments * segment_);
    if (is_conservative_) growth /= conservative_divisor;
    growth = std::min(growth, threshold_ - window_);
  } else {
    growth = std::min<double>(grow_slowly(acknowledged), acknowledged.bytes);
  }
  window_ += std::max(growth, 0.0);
}

void Cubic::watch_delay(const Acknowledged& acknowledged) noexcept {
  if (acknowledged.begins_round) {
    last_round_least_ = std::exchange(round_least_, unknown);
    samples_ = 0;
    if (is_conservative_ && ++conservative_rounds_ >= conservative_rounds) threshold_ = window_;
  }
  if (acknowledged.round_trip <= base::Duration{}) return;
  round_least_ = std::min(round_least_, seconds(acknowledged.round_trip));
  if (++samples_ < samples_least || last_round_least_ == unknown) return;
  const double growth =
      std::clamp(last_round_least_ / delay_divisor, delay_growth_least, delay_growth_most);
  if (!is_conservative_ && round_least_ >= last_round_least_ + growth) {
    is_conservative_ = true;
    conservative_rounds_ = 0;
    least_before_ = round_least_;
  } else if (is_conservative_ && round_least_ < least_before_) {
    is_conservative_ = false;
  }
}

// RFC 9438 sections 4.2 to 4.5: by how much, in bytes.
double Cubic::grow_slowly(const Acknowledged& acknowledged) noexcept {
  const double window = window_ / segment_;
  const double acknowledged_segments = acknowledged.bytes / segment_;
  if (!has_epoch_) {
    has_epoch_ = true;
    epoch_ = acknowledged.now;
    window_estimated_ = window_;
    window_max_ = std::max(window_max_, window_);
    k_ = std::cbrt((window_max_ - window_) / segment_ / c);
  }
  const double time = seconds(acknowledged.now - epoch_);
  auto window_at = [&](double t) {
    return c * (t - k_) * (t - k_) * (t - k_) + window_max_ / segment_;
  };
  const double slope = window_estimated_ < window_prior_ ? alpha : 1;
  window_estimated_ += slope * acknowledged_segments / window * segment_;
  if (window_at(time) < window_estimated_ / segment_) return window_estimated_ - window_;
  const double target =
      std::clamp(window_at(time + seconds(acknowledged.smoothed)), window, 1.5 * window);
  return (target - window) / window * acknowledged.bytes;
}

// RFC 9438 sections 4.6 and 4.7.
void Cubic::shrink() noexcept {
  can_undo_ = true;
  window_prior_ = window_;
  window_max_ = window_ < window_max_ ? window_ * (1 + beta) / 2 : window_;
  threshold_ = std::max(window_ * beta, least_segments * segment_);
  has_epoch_ = false;
  is_conservative_ = false;
}

void Cubic::on_loss() noexcept {
  before_ = {window_, threshold_, window_max_};
  shrink();
  window_ = std::max(std::min(window_, threshold_), least_segments * segment_);
}

void Cubic::on_timeout(bool is_repairing) noexcept {
  if (!is_repairing) before_ = {window_, threshold_, window_max_};
  shrink();
  window_ = segment_;
}

void Cubic::on_undo() noexcept {
  if (!std::exchange(can_undo_, false)) return;
  window_ = std::max(window_, before_.window);
  threshold_ = std::max(threshold_, before_.threshold);
  window_max_ = before_.window_max;
  has_epoch_ = false;
}

void Cubic::on_idle(base::Duration idle, base::Duration timeout) noexcept {
  const double least = std::min(window_, initial_segments * segment_);
  if (window_ <= least) return;
  threshold_ = std::max(threshold_, 0.75 * window_);
  for (; idle > timeout && window_ > least; idle -= timeout) window_ = std::max(window_ / 2, least);
}

}  // namespace net::lwip
