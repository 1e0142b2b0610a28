// SPDX-License-Identifier: ISC
// targets/unix/sandbox.hpp: what is left to a process once its ports are open and its files read.
//
// States:  Sandbox, seal.   Used by: targets/unix/platform.cpp.
// Layers:  the user (--user), capabilities, no_new_privs, Landlock (targets/unix/landlock.hpp), a
//          filter of system calls (targets/unix/filter.hpp). What a kernel lacks is left out and
//          said at debug level: a sandbox is no reason not to start.
// Ends:    a forbidden call is logged with its number and ends the process by SIGSYS; an unlisted
//          one is logged once and fails with ENOSYS.

#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/log.hpp"
#include "targets/unix/user.hpp"

namespace unix_target {

struct Sandbox {
  bool is_on = true;
  std::optional<User> user = {};
  // What devices and jobs declare, and the files that they must be able to read again.
  std::span<const int> system_calls = {};
  std::span<const std::string> read_again = {};
  // The folders beneath which they make, replace and remove files.
  std::span<const std::string> change_beneath = {};
};

// For good, for this thread and those that it starts. `start_threads` is called when they may start
// that are to have everything but the filter, which then takes them in. Throws std::runtime_error
// where the user cannot be had.
void seal(const Sandbox& sandbox, base::Log& log, const std::function<void()>& start_threads);

}  // namespace unix_target
