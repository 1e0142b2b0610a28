// SPDX-License-Identifier: ISC
// targets/unix/wake.hpp: wakes a loop from another thread or from a signal handler.
//
// Owns:    an eventfd.   Source: eventfd(2), signal-safety(7).

#pragma once

#include <functional>

#include "base/descriptors.hpp"

namespace unix_target {

class Wake final : private base::Watch {
 public:
  // `woken` runs on the loop that `descriptors` serves, once for any number of signals since it
  // last ran. Throws std::system_error when no descriptor is left.
  Wake(base::Descriptors& descriptors, std::function<void()> woken);
  ~Wake();

  // From any thread and from signal handlers.
  void signal() const noexcept { signal(fd_); }
  static void signal(int fd) noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  void run() override;

  base::Descriptors& descriptors_;
  std::function<void()> woken_;
  int fd_;
};

}  // namespace unix_target
