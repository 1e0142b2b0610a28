// SPDX-License-Identifier: ISC
#include "targets/unix/epoll.hpp"

#include <cerrno>
#include <limits>
#include <system_error>

#include <unistd.h>

namespace unix_target {

namespace {

// Rounded up, so that the loop does not spin through the last part of a millisecond.
int timeout_ms(base::Instant deadline, base::Clock& clock) {
  if (deadline == base::never) return -1;
  base::Duration left = deadline - clock.now();
  if (left <= base::Duration::zero()) return 0;
  auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  constexpr int ms_max = std::numeric_limits<int>::max();
  return ms < ms_max ? static_cast<int>(ms) : ms_max;
}

void set_flags(base::Watch& watch, std::uint32_t events) {
  const bool hangup = (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0;
  // An error or a hangup is found out by trying: both directions may be tried.
  if (hangup || (events & EPOLLIN) != 0) watch.readable = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) watch.writable = true;
  if (hangup) watch.hangup = true;
}

}  // namespace

Epoll::Epoll(base::Clock& clock) : clock_(clock), fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

Epoll::~Epoll() { ::close(fd_); }

void Epoll::sleep(base::Instant deadline) {
  int count = epoll_wait(fd_, events_.data(), events_per_turn_max, timeout_ms(deadline, clock_));
  CHECK(count >= 0 || errno == EINTR);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    base::Watch& watch = *static_cast<base::Watch*>(event.data.ptr);
    set_flags(watch, event.events);
    loop_->schedule(watch);
  }
}

bool Epoll::watch(int fd, base::Watch& watch) noexcept {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watch;
  return epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void Epoll::forget(int fd, base::Watch& watch) noexcept {
  // Closing alone would do, unless the descriptor was duplicated; then the kernel would go on
  // reporting a Watch that is no more.
  epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr);
  watch.unschedule();
}

}  // namespace unix_target
