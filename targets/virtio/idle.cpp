// SPDX-License-Identifier: ISC
#include "targets/virtio/idle.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/virtio/apic.hpp"
#include "targets/virtio/button.hpp"

namespace virtio_target {

void Idle::look_at_button() {
  if (button::is_pressed()) on_button_();
}

void Idle::sleep(base::Instant deadline) {
  const bool has_work = devices_.poll();
  const base::Instant now = clock_.now();
  if (has_work || deadline <= now || !devices_.prepare_to_sleep()) {
    libos::cpu::take_interrupts();
  } else {
    apic::wake_at(deadline, now);
    libos::cpu::halt_until_interrupt();
  }
  if (!has_work) static_cast<void>(devices_.poll());
  look_at_button();
}

}  // namespace virtio_target
