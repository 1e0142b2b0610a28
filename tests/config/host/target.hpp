// SPDX-License-Identifier: ISC
// tests/config/host/target.hpp: a Unix process whose host gives it boot keys, as a Xen
// guest's does: what targets/main.cpp makes of them is tested without a machine.
//
// Says:    --times=1, below the boot line and above what the build set (settings.cpp).

#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "config/boot.hpp"
#include "targets/unix/platform.hpp"

namespace target {

struct Platform : unix_target::Platform {
  std::vector<std::string> host_words;
};

inline constexpr std::tuple keys{};

template <class Run>
int run(int argc, char** argv, const config::BootLine&, const Run& run_one) {
  return unix_target::start(argc, argv, {}, [&](unix_target::Platform& process) {
    Platform platform{process, {"--times=1"}};
    return run_one(platform);
  });
}

}  // namespace target
