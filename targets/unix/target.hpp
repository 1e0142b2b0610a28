// SPDX-License-Identifier: ISC
// targets/unix/target.hpp: the Unix process as a configuration sees it.
//
// States:  what every target's `target.hpp` states, in namespace `target`: Platform (what it
//          offers; a configuration chooses by its members, never by a name), keys, name, run.
// May include: base, config/{target,management}.hpp, targets/unix.

#pragma once

#include <string_view>
#include <tuple>

#include "config/target.hpp"
#include "targets/unix/keys.hpp"
#include "targets/unix/platform.hpp"
#include "targets/unix/probe.hpp"
#include "targets/unix/sandbox_keys.hpp"

namespace target {

inline constexpr std::string_view name = "unix";

using unix_target::Platform;

inline constexpr config::Key<unsigned> threads{
    .name = "threads",
    .section = "PROCESS",
    .doc = "Threads that serve, each with its own sockets on the same ports",
    .fallback = 1,
    .least = 1,
    .most = 256};

// The boot keys that this target adds to a configuration's.
inline constexpr auto keys =
    std::tuple_cat(std::tuple{&threads, &memory, &config::log_level}, unix_target::sandbox_keys);

// Calls run(platform) on each thread; gives the exit status.
template <class Run>
int run(int argc, char** argv, const config::BootLine& boot, const Run& run_one) {
  if (const auto status = unix_target::take_probe(boot)) return *status;
  unix_target::StartOptions options;
  options.threads = boot.value(threads);
  options.log_level = boot.value(config::log_level);
  options.memory_bytes = boot.value(memory).bytes;
  if (!unix_target::take_sandbox(boot, options)) return 2;
  return unix_target::start(argc, argv, options, run_one);
}

}  // namespace target
