// SPDX-License-Identifier: ISC
#include "http/counters.hpp"

#include <algorithm>
#include <utility>

namespace http {

void Counters::took(base::Duration duration, std::uint64_t count) noexcept {
  const auto* const bound = std::ranges::lower_bound(bounds, duration);
  durations[static_cast<std::size_t>(bound - bounds.begin())].add(count);
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  duration_ns.add(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)) * count);
}

void DurationTally::run() {
  counters_.took(loop_.clock().now() - loop_.now(), std::exchange(count_, 0));
}

}  // namespace http
