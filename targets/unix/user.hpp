// SPDX-License-Identifier: ISC
// targets/unix/user.hpp: the user of this process: root becomes another user, without capabilities.
//
// States:  User, read_user, become, keep_only_reading.   Used by: targets/unix/sandbox.cpp.
// Source:  credentials(7), capabilities(7).

#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.hpp"

namespace unix_target {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

// "65534:65534": numbers, as there may be no /etc/passwd. Else a sentence.
[[nodiscard]] base::Result<User, std::string> read_user(std::string_view text);

// For good: this user and group, no other groups, no capabilities. A process that is this user
// already stays as it is. Throws std::runtime_error where it cannot be done.
void become(const User& user);

// Gives up every capability but the one to read what the user may not (root's, for files that are
// to be read again). Before other threads start: each has its own.
void keep_only_reading() noexcept;

}  // namespace unix_target
