// SPDX-License-Identifier: ISC
// config/log_level.hpp: the boot key `log-level`, which every target has.
//
// States:  log_level.   Used by: every target's target.hpp.

#pragma once

#include <string_view>

#include "base/log.hpp"
#include "config/key.hpp"

namespace config {

inline constexpr std::string_view log_level_words[] = {"error", "warning", "info", "debug"};

// A process says them on standard error, a machine on its console.
inline constexpr Key<base::LogLevel> log_level{.name = "log-level",
                                               .section = "LOG",
                                               .doc = "Write messages of this level and above",
                                               .fallback = base::LogLevel::info,
                                               .words = log_level_words};

}  // namespace config
