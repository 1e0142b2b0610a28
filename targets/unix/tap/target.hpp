// SPDX-License-Identifier: ISC
// targets/unix/tap/target.hpp: a Unix process that has a tap instead of the kernel's sockets: a
// machine of its own on the network, where tools for processes still work.
//
// States:  what every target's `target.hpp` states. Its Platform offers `net_device`, so that
// generic_stack is our own stack (net/lwip), which exists once in a process: one thread.
// May include: base, crunch/config/{boot,key,log_level}.hpp, targets/unix.

#pragma once

#include <functional>
#include <string_view>
#include <tuple>

#include "crunch/config/boot.hpp"
#include "crunch/config/key.hpp"
#include "crunch/config/log_level.hpp"
#include "targets/unix/platform.hpp"
#include "targets/unix/tap/tap.hpp"

namespace target {

inline constexpr std::string_view name = "unix-tap";

struct Platform {
  static constexpr bool has_files = true;
  base::Loop& loop;
  base::Clock& clock;
  base::Entropy& entropy;
  base::Console& console;
  base::Log& log;
  unix_target::Tap& net_device;
  unsigned thread_index = 0;
  unsigned thread_count = 1;
  const std::function<void()>& ready;
  std::function<void()>& on_stop;
  std::function<void()>& on_reload;
};

inline constexpr crunch::config::Key<std::string_view> tap{
    .name = "tap",
    .section = "NETWORK",
    .doc = "The tap to be on the network with, or fd:N for one that is open already",
    .fallback = "tap0"};

inline constexpr std::tuple keys{&tap, &crunch::config::log_level};

template <class Run>
int run(int argc, char** argv, const crunch::config::BootLine& boot, const Run& run_one) {
  unix_target::StartOptions options;
  options.log_level = boot.value(crunch::config::log_level);
  return unix_target::start(argc, argv, options, [&](unix_target::Platform& process) {
    auto open = unix_target::open_tap(boot.value(tap));
    if (!open) {
      process.log.error({open.error()});
      return 1;
    }
    unix_target::Tap device(process.loop, process.descriptors, process.log, *open);
    Platform platform{.loop = process.loop,
                      .clock = process.clock,
                      .entropy = process.entropy,
                      .console = process.console,
                      .log = process.log,
                      .net_device = device,
                      .ready = process.ready,
                      .on_stop = process.on_stop,
                      .on_reload = process.on_reload};
    return run_one(platform);
  });
}

}  // namespace target
