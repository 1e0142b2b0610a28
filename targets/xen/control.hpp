// SPDX-License-Identifier: ISC
// targets/xen/control.hpp: what the toolstack asks of the whole guest, by xenstore.
//
// States:  Control.   Source: Xen's docs/misc/xenstore-paths.pandoc: control/shutdown,
//          control/feature-*, memory/target.

#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/log.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

class Control {
 public:
  // The token of its watches.
  static constexpr std::string_view token = "control";
  enum class Wish : std::uint8_t { power_off, reboot, suspend };

  // Both must outlive it. `memory_kib` is what this guest has, and keeps.
  Control(Xenstore& store, base::Log& log, std::uint64_t memory_kib)
      : store_(store), log_(log), memory_kib_(memory_kib) {}

  // Says what is understood, and listens; again in a domain that was made anew. Throws
  // std::runtime_error when the guest was given less memory than it was told (maxmem).
  void begin();
  // After an event with our token. `grant` is called with a wish that came.
  void look(const std::function<void(Wish)>& grant);

 private:
  void look_at_memory();

  Xenstore& store_;
  base::Log& log_;
  std::uint64_t memory_kib_;
  std::uint64_t told_kib_ = 0;  // the target that was last refused
};

}  // namespace xen_target
