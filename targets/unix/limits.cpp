// SPDX-License-Identifier: ISC
#include "targets/unix/limits.hpp"

#include <string>

#include <sys/resource.h>

namespace unix_target {

std::uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised{limit.rlim_max, limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

void warn_of_few_descriptors(base::Log& log, std::uint64_t connections_max,
                             std::uint64_t descriptors_max) {
  const std::uint64_t needed = connections_max + descriptors_besides_connections;
  if (needed <= descriptors_max) return;
  log.warning({"up to ", std::to_string(connections_max), " connections need ",
               std::to_string(needed), " open files, but the limit is ",
               std::to_string(descriptors_max), ": raise it (ulimit -Hn, LimitNOFILE=) or lower ",
               "--max-connections; until then connections beyond it wait"});
}

}  // namespace unix_target
