// SPDX-License-Identifier: ISC
// targets/unix/target.hpp: the Unix process as a configuration sees it.
//
// States:  what every target's `target.hpp` states, in namespace `target`: Platform (what it
// offers; a
//          configuration chooses by its members, never by a name), keys, name, run.
// May include: base, crunch/config/{key,boot}.hpp, targets/unix.

#pragma once

#include <string_view>
#include <tuple>

#include "base/log.hpp"
#include "crunch/config/boot.hpp"
#include "crunch/config/key.hpp"
#include "targets/unix/platform.hpp"

namespace target {

inline constexpr std::string_view name = "unix";

using unix_target::Platform;

inline constexpr std::string_view log_level_words[] = {"error", "warning", "info", "debug"};

inline constexpr crunch::config::Key<unsigned> threads{
    .name = "threads",
    .section = "PROCESS",
    .doc = "Threads that serve, each with its own sockets on the same ports",
    .fallback = 1,
    .least = 1,
    .most = 256};
inline constexpr crunch::config::Key<base::LogLevel> log_level{
    .name = "log-level",
    .section = "PROCESS",
    .doc = "The least important messages that go to standard error",
    .fallback = base::LogLevel::info,
    .words = log_level_words};

// The boot keys that this target adds to a configuration's.
inline constexpr std::tuple keys{&threads, &log_level};

// Calls run(platform) on each thread; gives the exit status.
template <class Run>
int run(int argc, char** argv, const crunch::config::BootLine& boot, const Run& run_one) {
  unix_target::StartOptions options;
  options.threads = boot.value(threads);
  options.log_level = boot.value(log_level);
  return unix_target::start(argc, argv, options, run_one);
}

}  // namespace target
