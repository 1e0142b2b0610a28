// SPDX-License-Identifier: ISC
// targets/unix/sandbox_keys.hpp: the boot keys by which a process is sealed, for both Unix targets.
//
// States:  sandbox_keys, take_sandbox.   Used by: targets/unix/target.hpp and tap/target.hpp.

#pragma once

#include <string_view>
#include <tuple>

#include <unistd.h>

#include "config/target.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/platform.hpp"

namespace unix_target {

inline constexpr config::Key<bool> sandbox_key{
    .name = "sandbox",
    .section = "PROCESS",
    .doc = "Give up, once ports are open and files read, what serving does not need",
    .fallback = true};
inline constexpr config::Key<std::string_view> user_key{
    .name = "user",
    .section = "PROCESS",
    .doc = "UID:GID that a process started by root becomes once its ports are open",
    .fallback = ""};

inline constexpr std::tuple sandbox_keys{&sandbox_key, &user_key};

// False: a value makes no sense, and standard error says so.
inline bool take_sandbox(const config::BootLine& boot, StartOptions& options) {
  options.sandbox = boot.value(sandbox_key);
  const std::string_view text = boot.value(user_key);
  if (text.empty()) return true;
  const auto user = read_user(text);
  if (user) {
    options.user = *user;
  } else {
    Console console(STDERR_FILENO);
    base::Log(console).error({user.error()});
  }
  return user.has_value();
}

}  // namespace unix_target
