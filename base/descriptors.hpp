// SPDX-License-Identifier: ISC
// base/descriptors.hpp: file descriptors that a Loop sleeps on, where the target has a kernel
// below.
//
// States:   Watch, Descriptors.   Modelled by: targets/unix/epoll.   Used by: net/sockets,
//           targets/unix/tap.
// Contract: edges, not levels: a flag is set when the kernel says so and cleared by its user when a
//           call answers EAGAIN (or moves fewer bytes than asked, which for a stream means the
//           same).

#pragma once

#include "base/loop.hpp"

namespace base {

// One watched descriptor. `scheduled()` work runs after a flag was set; it finds out which.
class Watch : public Work {
 public:
  bool readable = false;  // data, end of stream, an error, or a connection to accept
  bool writable = false;
  bool hangup = false;  // the peer has closed, both ways, or an error is pending
};

class Descriptors {
 public:
  virtual ~Descriptors() = default;
  // False: the kernel refused (out of memory or of watches). `watch` must outlive `forget`.
  [[nodiscard]] virtual bool watch(int fd, Watch& watch) noexcept = 0;
  // Call before close(fd). No work of `watch` is scheduled afterwards.
  virtual void forget(int fd, Watch& watch) noexcept = 0;
};

}  // namespace base
