// SPDX-License-Identifier: ISC
#include "targets/xen/idle.hpp"

#include "targets/xen/hypercall.hpp"

namespace xen_target {

bool Idle::poll() {
  const bool has_frames = vifs_->poll();
  return vbds_->poll() || has_frames;
}

bool Idle::prepare_to_sleep() noexcept {
  const bool may_sleep = vifs_->prepare_to_sleep();
  return vbds_->prepare_to_sleep() && may_sleep;
}

void Idle::sleep(base::Instant deadline) {
  const bool has_work = poll();
  const base::Instant now = clock_.now();
  if (!has_work && !store_.has_events() && deadline > now && prepare_to_sleep()) {
    ports_.assign({store_.port()});
    vifs_->add_ports(ports_);
    vbds_->add_ports(ports_);
    // Far away is for ever: this guest's clock and Xen's are not the same number.
    const std::uint64_t until =
        deadline == base::never
            ? 0
            : host_.now_ns() + static_cast<std::uint64_t>((deadline - now).count());
    hypercall::poll(ports_.data(), static_cast<std::uint32_t>(ports_.size()), until);
    static_cast<void>(poll());
  }
  const bool has_fired = host_.take_event(store_.port());
  const bool is_broken = vifs_->is_broken() || vbds_->is_broken();
  if (has_fired || store_.has_events() || is_broken) on_store_();
}

}  // namespace xen_target
