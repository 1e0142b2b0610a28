// SPDX-License-Identifier: ISC
// targets/unix/limits.hpp: how many descriptors the process may have.

#pragma once

#include <cstdint>

#include "base/log.hpp"

namespace unix_target {

// Raises the soft limit to the hard one; gives the limit that holds now (RLIMIT_NOFILE).
std::uint64_t raise_descriptor_limit() noexcept;

// Besides connections: standard streams, epoll, listeners, the image itself, a few spare.
inline constexpr std::uint64_t descriptors_besides_connections = 32;

// Warns, with what to do, when `connections_max` connections do not fit `descriptors_max`.
void warn_of_few_descriptors(base::Log& log, std::uint64_t connections_max,
                             std::uint64_t descriptors_max);

}  // namespace unix_target
