// SPDX-License-Identifier: ISC
#include "targets/unix/console.hpp"

#include <cerrno>
#include <csignal>

#include <poll.h>
#include <unistd.h>

namespace unix_target {

Console::Console(int fd) noexcept : fd_(fd) { std::signal(SIGPIPE, SIG_IGN); }

void Console::write(std::string_view text) noexcept {
  while (!text.empty()) {
    ssize_t put = ::write(fd_, text.data(), text.size());
    if (put >= 0) {
      text.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      pollfd wait{fd_, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace unix_target
