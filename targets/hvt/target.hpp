// SPDX-License-Identifier: ISC
// targets/hvt/target.hpp: a guest of a tender as a configuration sees it.
//
// States:  what every target's `target.hpp` states, in namespace `target`: Platform (what it
//          offers; a configuration chooses by its members, never by a name), keys, name, run.
// May include: base, config/machine.hpp, targets/hvt.

#pragma once

#include <string_view>

#include "config/machine.hpp"
#include "targets/hvt/platform.hpp"

namespace target {

inline constexpr std::string_view name = "hvt";

using hvt_target::Platform;

inline constexpr auto keys = config::machine_keys;
inline constexpr config::RunMachine<hvt_target::start> run;

}  // namespace target
