// SPDX-License-Identifier: ISC
// targets/unix/tap/target.hpp: a Unix process that has a tap instead of the kernel's sockets: a
// machine of its own on the network, where tools for processes still work.
//
// States:  what every target's `target.hpp` states. Its Platform offers `net_device`, so that
//          generic_stack is our own stack (net/lwip), whose state is the process's: one thread.
// May include: base, config/{boot,key,log_level}.hpp, targets/unix.

#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/target.hpp"
#include "targets/unix/keys.hpp"
#include "targets/unix/platform.hpp"
#include "targets/unix/sandbox_keys.hpp"
#include "targets/unix/tap/taps.hpp"

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
  unix_target::Taps& net_devices;  // further ones
  unsigned thread_index = 0;
  unsigned thread_count = 1;
  std::uint64_t memory_bytes = 0;
  const std::function<void()>& ready;
  std::function<void()>& on_stop;
  std::function<void()>& on_reload;
  std::span<const int>& system_calls;
  std::vector<std::string>& read_again;
  std::vector<std::string>& change_beneath;
  std::vector<std::string>& watched;
  std::function<void()>& on_files_changed;

  [[nodiscard]] static std::uint64_t lost_line_count() noexcept {
    return unix_target::lost_line_count();
  }

  // By which a further stack is given its device.
  static constexpr config::Key<std::string_view> device_key{
      .name = "tap",
      .section = "NETWORK",
      .doc = "The tap of its network, or fd:N for one that is open already",
      .fallback = "tap1"};
};

inline constexpr config::Key<std::string_view> tap{
    .name = "tap",
    .section = "NETWORK",
    .doc = "The tap to be on the network with, or fd:N for one that is open already",
    .fallback = "tap0"};

inline constexpr auto keys =
    std::tuple_cat(std::tuple{&tap, &memory, &config::log_level}, unix_target::sandbox_keys);

template <class Run>
int run(int argc, char** argv, const config::BootLine& boot, const Run& run_one) {
  unix_target::StartOptions options;
  options.log_level = boot.value(config::log_level);
  options.memory_bytes = boot.value(memory).bytes;
  if (!unix_target::take_sandbox(boot, options)) return 2;
  return unix_target::start(argc, argv, options, [&](unix_target::Platform& process) {
    unix_target::Taps taps(process.loop, process.descriptors, process.log);
    const auto first = taps.find(boot.value(tap), tap.name);
    if (!first) {
      process.log.error({first.error()});
      return 1;
    }
    Platform platform{.loop = process.loop,
                      .clock = process.clock,
                      .entropy = process.entropy,
                      .console = process.console,
                      .log = process.log,
                      .net_device = **first,
                      .net_devices = taps,
                      .memory_bytes = process.memory_bytes,
                      .ready = process.ready,
                      .on_stop = process.on_stop,
                      .on_reload = process.on_reload,
                      .system_calls = process.system_calls,
                      .read_again = process.read_again,
                      .change_beneath = process.change_beneath,
                      .watched = process.watched,
                      .on_files_changed = process.on_files_changed};
    return run_one(platform);
  });
}

}  // namespace target
