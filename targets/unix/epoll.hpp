// SPDX-License-Identifier: ISC
// targets/unix/epoll.hpp: how a thread of a Unix process sleeps: in epoll_wait.
//
// Models:  base::Idle, base::Descriptors.   Owns: the epoll descriptor.   Source: epoll(7).
// Rule:    the event pass only sets flags and schedules Watches; no code of theirs runs inside it,
//          so nothing that they close or destroy can leave an event behind that points to it.

#pragma once

#include <array>

#include <sys/epoll.h>

#include "base/descriptors.hpp"
#include "base/loop.hpp"

namespace unix_target {

class Epoll final : public base::Idle, public base::Descriptors {
 public:
  // Throws std::system_error when the kernel gives no epoll descriptor.
  explicit Epoll(base::Clock& clock);
  ~Epoll() override;
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  // The loop that sleeps here; set once, before it first turns. (Each needs the other to be made.)
  void serve(base::Loop& loop) noexcept { loop_ = &loop; }

  void sleep(base::Instant deadline) override;
  bool watch(int fd, base::Watch& watch) noexcept override;
  void forget(int fd, base::Watch& watch) noexcept override;

  static constexpr int events_per_turn_max = 256;

 private:
  base::Clock& clock_;
  base::Loop* loop_ = nullptr;
  int fd_;
  std::array<epoll_event, events_per_turn_max> events_;
};

}  // namespace unix_target
