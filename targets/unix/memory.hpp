// SPDX-License-Identifier: ISC
// targets/unix/memory.hpp: how much memory this process may use.
//
// Source:  cgroups(7), the kernel's admin-guide/cgroup-v2.rst ("memory.max") and
//          cgroup-v1/memory.rst ("memory.limit_in_bytes"), getrlimit(2).

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace unix_target {

inline constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

// The least limit of the control groups that a process is in and of those above them; no_limit if
// there is none or they cannot be read. `own_groups` is the text of /proc/self/cgroup, `mounts`
// where the groups' files are (/sys/fs/cgroup), v1's in its folder `memory`.
[[nodiscard]] std::uint64_t cgroup_memory_limit(std::string_view own_groups,
                                                const std::string& mounts);

struct MemoryLimits {
  std::uint64_t hard_bytes = no_limit;   // more than this cannot be had: the groups', RLIMIT_AS
  std::uint64_t usual_bytes = no_limit;  // that, and at most half of the machine's
};
[[nodiscard]] MemoryLimits memory_limits();

}  // namespace unix_target
