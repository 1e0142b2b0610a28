// SPDX-License-Identifier: ISC
// config/parts/target_parts.hpp: what every target has, as devices.
//
// States:  default_console, default_clock, default_entropy, default_time. (Mirage's names; the
//          plain ones are functions of the C library.)

#pragma once

#include "config/graph.hpp"
#include "config/parts/modules.hpp"

namespace config {

struct ConnectConsole {
  base::Console& operator()(auto& context) const { return context.platform.console; }
};
struct ConnectClock {
  base::Clock& operator()(auto& context) const { return context.platform.clock; }
};
struct ConnectEntropy {
  base::Entropy& operator()(auto& context) const { return context.platform.entropy; }
};
struct ConnectTime {
  base::Loop& operator()(auto& context) const { return context.platform.loop; }
};
inline constexpr auto default_console =
    impl<base::Console&>("console", console_type, ConnectConsole{});
inline constexpr auto default_clock = impl<base::Clock&>("clock", clock_type, ConnectClock{});
inline constexpr auto default_entropy =
    impl<base::Entropy&>("entropy", entropy_type, ConnectEntropy{});
inline constexpr auto default_time = impl<base::Loop&>("time", time_type, ConnectTime{});

}  // namespace config
