// SPDX-License-Identifier: ISC
// targets/virtio/target.hpp: a virtio machine as a configuration sees it.
//
// States:  what every target's `target.hpp` states, in namespace `target`: Platform (what it
//          offers; a configuration chooses by its members, never by a name), keys, name, run.
// May include: base, crunch/config/{boot,key,log_level}.hpp, targets/virtio.

#pragma once

#include <string_view>
#include <tuple>

#include "crunch/config/boot.hpp"
#include "crunch/config/key.hpp"
#include "crunch/config/log_level.hpp"
#include "targets/virtio/platform.hpp"

namespace target {

inline constexpr std::string_view name = "virtio";

using virtio_target::Platform;

// The boot keys that this target adds to a configuration's.
inline constexpr std::tuple keys{&crunch::config::log_level};

// Calls run(platform); gives the exit status.
template <class Run>
int run(int argc, char** argv, const crunch::config::BootLine& boot, const Run& run_one) {
  return virtio_target::start(argc, argv, boot.value(crunch::config::log_level), run_one);
}

}  // namespace target
