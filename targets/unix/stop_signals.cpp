// SPDX-License-Identifier: ISC
#include "targets/unix/stop_signals.hpp"

#include <atomic>
#include <cerrno>

#include <unistd.h>

#include "base/check.hpp"

namespace unix_target {

namespace {

// What a signal handler may touch: lock-free atomics.
std::atomic<int> wake_fd{-1};
std::atomic<bool> interrupted{false};
static_assert(std::atomic<int>::is_always_lock_free);

constexpr int exit_status_of_sigint = 128 + SIGINT;

void handle(int signal) {
  if (signal == SIGINT && interrupted.exchange(true)) _exit(exit_status_of_sigint);
  int before = errno;
  Wake::signal(wake_fd.load());
  errno = before;
}

}  // namespace

StopSignals::StopSignals(const Wake& wake) noexcept {
  CHECK(wake_fd.exchange(wake.fd()) == -1);
  interrupted = false;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, &before_term_);
  sigaction(SIGINT, &action, &before_int_);
}

StopSignals::~StopSignals() {
  sigaction(SIGTERM, &before_term_, nullptr);
  sigaction(SIGINT, &before_int_, nullptr);
  wake_fd = -1;
}

}  // namespace unix_target
