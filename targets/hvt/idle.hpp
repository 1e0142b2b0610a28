// SPDX-License-Identifier: ISC
// targets/hvt/idle.hpp: how a guest sleeps: the poll hypercall, its only way to wait. What is in
// the ring leaves before.
//
// Models:  base::Idle.
// Stop:    bit 0 of a poll's answer (solo5::ready_to_stop); our tender sets it once, others never.

#pragma once

#include <functional>
#include <utility>

#include "base/loop.hpp"
#include "targets/hvt/devices.hpp"

namespace hvt_target {

class Idle final : public base::Idle {
 public:
  // `on_stop` is called when the tender was asked to end.
  Idle(base::Clock& clock, Devices& devices, std::function<void()> on_stop)
      : clock_(clock), net_(devices.first()), on_stop_(std::move(on_stop)) {}

  void sleep(base::Instant deadline) override;

 private:
  base::Clock& clock_;
  Net& net_;
  std::function<void()> on_stop_;
  unsigned exchanges_ = 0;  // in a row, instead of a sleep
};

}  // namespace hvt_target
