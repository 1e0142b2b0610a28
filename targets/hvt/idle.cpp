// SPDX-License-Identifier: ISC
#include "targets/hvt/idle.hpp"

#include <algorithm>

#include "targets/hvt/hypercall.hpp"
#include "targets/hvt/notes.hpp"
#include "targets/libos/once.hpp"

namespace hvt_target {

void Idle::sleep(base::Instant deadline) {
  // Frames that came are there: no need to sleep. Only a poll says that the guest is to end.
  constexpr unsigned exchanges_max = 16;
  const bool has_frames = net_.exchange();
  if (has_frames && ++exchanges_ < exchanges_max) return;
  exchanges_ = 0;
  // A tender may add the time to its clock: far from where that would wrap.
  constexpr base::Duration longest = std::chrono::hours(1);
  const base::Instant now = clock_.now();
  solo5::Poll call{};
  if (deadline > now && !has_frames) {
    call.timeout_ns = static_cast<std::uint64_t>(std::min(deadline - now, longest).count());
  }
  ask(solo5::Call::poll, call);
  const std::uint64_t ready = libos::read_once(call.ready);
  if ((ready & std::uint64_t{1} << service_handle) != 0) net_.frames_have_come();
  if ((ready & solo5::ready_to_stop) != 0) on_stop_();
}

}  // namespace hvt_target
