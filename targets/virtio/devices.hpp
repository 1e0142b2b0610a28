// SPDX-License-Identifier: ISC
// targets/virtio/devices.hpp: everything of a virtio machine that wakes it.
//
// Owns:    the network devices and the block devices.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "targets/virtio/blks.hpp"
#include "targets/virtio/nets.hpp"

namespace virtio_target {

class Devices {
 public:
  using Device = Net;
  using Blocks = Blks;

  static constexpr const auto& device_key = Nets::device_key;

  explicit Devices(Nets nets) : nets_(std::move(nets)) {}

  [[nodiscard]] Net& first() noexcept { return nets_.first(); }
  base::Result<Net*, std::string> find(unsigned number, std::string_view key) {
    return nets_.find(number, key);
  }
  [[nodiscard]] const Nets& nets() const noexcept { return nets_; }
  [[nodiscard]] Blks& blocks() noexcept { return blks_; }

  // For who sleeps.
  void serve(base::Loop& loop) noexcept {
    nets_.serve(loop);
    blks_.serve(loop);
  }
  bool poll() {
    const bool has_frames = nets_.poll();
    return blks_.poll() || has_frames;
  }
  [[nodiscard]] bool prepare_to_sleep() noexcept {
    const bool may_sleep = nets_.prepare_to_sleep();
    return blks_.prepare_to_sleep() && may_sleep;
  }

 private:
  Nets nets_;
  Blks blks_;
};

}  // namespace virtio_target
