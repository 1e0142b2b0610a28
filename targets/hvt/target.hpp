// SPDX-License-Identifier: ISC
// targets/hvt/target.hpp: a guest of a tender as a configuration sees it.
//
// States:  what every target's `target.hpp` states, in namespace `target`: Platform (what it
//          offers; a configuration chooses by its members, never by a name), keys, name, run.
// May include: base, crunch/config/{boot,key,log_level}.hpp, targets/hvt.

#pragma once

#include <string_view>
#include <tuple>

#include "crunch/config/boot.hpp"
#include "crunch/config/key.hpp"
#include "crunch/config/log_level.hpp"
#include "targets/hvt/platform.hpp"

namespace target {

inline constexpr std::string_view name = "hvt";

using hvt_target::Platform;

// The boot keys that this target adds to a configuration's.
inline constexpr std::tuple keys{&crunch::config::log_level};

// Calls run(platform); gives the exit status.
template <class Run>
int run(int argc, char** argv, const crunch::config::BootLine& boot, const Run& run_one) {
  return hvt_target::start(argc, argv, boot.value(crunch::config::log_level), run_one);
}

}  // namespace target
