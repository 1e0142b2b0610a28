// SPDX-License-Identifier: ISC
// targets/virtio/target.hpp: a virtio machine as a configuration sees it.
//
// States:  what every target's `target.hpp` states, in namespace `target`: Platform (what it
//          offers; a configuration chooses by its members, never by a name), keys, name, run.
// May include: base, config/machine.hpp, targets/virtio.

#pragma once

#include <string_view>

#include "config/machine.hpp"
#include "targets/virtio/platform.hpp"

namespace target {

inline constexpr std::string_view name = "virtio";

using virtio_target::Platform;

inline constexpr auto keys = config::machine_keys;
inline constexpr config::RunMachine<virtio_target::start> run;

}  // namespace target
