// SPDX-License-Identifier: ISC
// targets/hvt/devices.hpp: everything that a tender attaches to a guest.
//
// Owns:    the network device and the block devices.

#pragma once

#include "targets/hvt/blks.hpp"
#include "targets/hvt/net.hpp"

namespace hvt_target {

class Devices {
 public:
  using Device = Net;
  using Blocks = Blks;

  // Throws std::runtime_error if there is no network device.
  explicit Devices(const BootInfo& from) : net_(from), blks_(from) {}

  [[nodiscard]] Net& first() noexcept { return net_; }
  [[nodiscard]] Blks& blocks() noexcept { return blks_; }
  void serve(base::Loop& loop) noexcept { net_.serve(loop); }

 private:
  Net net_;
  Blks blks_;
};

}  // namespace hvt_target
