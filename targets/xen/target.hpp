// SPDX-License-Identifier: ISC
// targets/xen/target.hpp: a Xen guest as a configuration sees it.
//
// States:  what every target's `target.hpp` states, in namespace `target`: Platform (what it
//          offers; a configuration chooses by its members, never by a name), keys, name, run.
// May include: base, config/machine.hpp, targets/xen.

#pragma once

#include <string_view>

#include "config/machine.hpp"
#include "targets/xen/platform.hpp"

namespace target {

inline constexpr std::string_view name = "xen";

using xen_target::Platform;

inline constexpr auto keys = config::machine_keys;
inline constexpr config::RunMachine<xen_target::start> run;

}  // namespace target
