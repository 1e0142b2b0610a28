// SPDX-License-Identifier: ISC
// targets/unix/keys.hpp: boot keys of every process.
//
// Used by: targets/unix/target.hpp, targets/unix/tap/target.hpp.

#pragma once

#include "config/target.hpp"

namespace target {

inline constexpr config::Key<config::Size> memory{
    .name = "memory",
    .section = "PROCESS",
    .doc = "Memory to use; 0: the least of its cgroup's, RLIMIT_AS and half of the machine's",
    .fallback = "0"};

}  // namespace target
