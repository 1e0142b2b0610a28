// SPDX-License-Identifier: ISC
#include "targets/xen/idle.hpp"

#include <array>

#include "targets/xen/hypercall.hpp"

namespace xen_target {

void Idle::sleep(base::Instant deadline) {
  const bool has_work = device_->poll();
  const base::Instant now = clock_.now();
  if (!has_work && !store_.has_events() && deadline > now && device_->prepare_to_sleep()) {
    const std::array<Host::Port, 2> ports = {store_.port(), device_->port()};
    // Far away is for ever: this guest's clock and Xen's are not the same number.
    const std::uint64_t until =
        deadline == base::never
            ? 0
            : host_.now_ns() + static_cast<std::uint64_t>((deadline - now).count());
    hypercall::poll(ports.data(), ports.back() == 0 ? 1 : 2, until);
    static_cast<void>(device_->poll());
  }
  const bool has_fired = host_.take_event(store_.port());
  if (has_fired || store_.has_events() || (device_->is_open() && !device_->broken_by().empty())) {
    on_store_();
  }
}

}  // namespace xen_target
