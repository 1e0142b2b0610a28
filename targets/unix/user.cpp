// SPDX-License-Identifier: ISC
#include "targets/unix/user.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace unix_target {

namespace {

[[noreturn]] void fail(const User& user, const char* what) {
  throw std::runtime_error("cannot become user " + std::to_string(user.uid) + ":" +
                           std::to_string(user.gid) + " (--user): " + what + ": " +
                           std::strerror(errno));
}

bool read_number(std::string_view text, unsigned& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // The last number is "no change" for the kernel.
  return error == std::errc{} && end == text.data() + text.size() && number != UINT32_MAX;
}

// The capabilities of this thread that are in `mask`, and no others.
void limit_capabilities(std::uint64_t mask) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return;
  for (unsigned half = 0; half < 2; ++half) {
    data[half].permitted &= static_cast<std::uint32_t>(mask >> (32 * half));
    data[half].effective &= data[half].permitted;
    data[half].inheritable = 0;
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  ::syscall(SYS_capset, &header, data);
}

}  // namespace

base::Result<User, std::string> read_user(std::string_view text) {
  User user;
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && read_number(text.substr(0, colon), user.uid) &&
      read_number(text.substr(colon + 1), user.gid)) {
    return user;
  }
  return base::failure("--user cannot be '" + std::string(text) +
                       "': it takes the numbers of a user and a group, as 65534:65534");
}

void become(const User& user) {
  const bool is_already = ::getuid() == user.uid && ::geteuid() == user.uid &&
                          ::getgid() == user.gid && ::getegid() == user.gid;
  if (is_already && user.uid != 0) return;
  // A change of user resets the signal that comes when the parent dies.
  int at_parents_end = 0;
  ::prctl(PR_GET_PDEATHSIG, &at_parents_end);
  if (::setgroups(0, nullptr) != 0) fail(user, "its groups cannot be given up");
  if (::setresgid(user.gid, user.gid, user.gid) != 0) fail(user, "the group is refused");
  if (::setresuid(user.uid, user.uid, user.uid) != 0) fail(user, "the user is refused");
  if (at_parents_end != 0) ::prctl(PR_SET_PDEATHSIG, at_parents_end);
  limit_capabilities(0);
  if (user.uid != 0 && ::setuid(0) == 0) fail(user, "root can be had again");
}

void keep_only_reading() noexcept {
  limit_capabilities(std::uint64_t{1} << unsigned{CAP_DAC_READ_SEARCH});
}

}  // namespace unix_target
