// SPDX-License-Identifier: ISC
#include "targets/unix/wake.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace unix_target {

Wake::Wake(base::Descriptors& descriptors, std::function<void()> woken)
    : descriptors_(descriptors),
      woken_(std::move(woken)),
      fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  if (!descriptors_.watch(fd_, *this)) {
    int why = errno;
    ::close(fd_);
    throw std::system_error(why, std::generic_category(), "cannot watch an eventfd");
  }
}

Wake::~Wake() {
  descriptors_.forget(fd_, *this);
  ::close(fd_);
}

void Wake::signal(int fd) noexcept {
  const std::uint64_t one = 1;
  // It fails only when 2^64 - 2 signals are pending: then the loop is woken anyway.
  [[maybe_unused]] ssize_t put = ::write(fd, &one, sizeof one);
}

void Wake::run() {
  // An eventfd is always writable, so the first event is about that and not a signal.
  std::uint64_t count = 0;
  if (::read(fd_, &count, sizeof count) == sizeof count) woken_();
}

}  // namespace unix_target
