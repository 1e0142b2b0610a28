// SPDX-License-Identifier: ISC
#include "targets/unix/reload_signal.hpp"

#include <atomic>
#include <cerrno>

#include "base/check.hpp"

namespace unix_target {

namespace {

// What a signal handler may touch: lock-free atomics.
std::atomic<int> wake_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void handle(int) {
  int before = errno;
  Wake::signal(wake_fd.load());
  errno = before;
}

}  // namespace

ReloadSignal::ReloadSignal(const Wake& wake) noexcept {
  CHECK(wake_fd.exchange(wake.fd()) == -1);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGHUP, &action, &before_);
}

ReloadSignal::~ReloadSignal() {
  sigaction(SIGHUP, &before_, nullptr);
  wake_fd = -1;
}

}  // namespace unix_target
