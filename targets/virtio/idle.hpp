// SPDX-License-Identifier: ISC
// targets/virtio/idle.hpp: how a bare machine sleeps: halted, until an interrupt or the deadline.
//
// Models:  base::Idle.
// Rule:    interrupts are taken only here, and only note that they came: what they are about is
//          found by looking at the devices.

#pragma once

#include <functional>

#include "base/loop.hpp"
#include "targets/virtio/devices.hpp"

namespace virtio_target {

class Idle final : public base::Idle {
 public:
  // `on_button` is called when the power button was pressed.
  Idle(base::Clock& clock, Devices& devices, std::function<void()> on_button)
      : clock_(clock), devices_(devices), on_button_(std::move(on_button)) {}

  void sleep(base::Instant deadline) override;

 private:
  void look_at_button();

  base::Clock& clock_;
  Devices& devices_;
  std::function<void()> on_button_;
};

}  // namespace virtio_target
