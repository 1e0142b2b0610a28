// SPDX-License-Identifier: ISC
// base/descriptor.hpp: who closes a file descriptor.
//
// States:  Descriptor.   Used by: what has a kernel below: kv/directory, net/sockets, targets/unix,
//          tender, crunch.   See also: base/descriptors.hpp, on which a Loop sleeps.

#pragma once

#include <unistd.h>

#include <utility>

namespace base {

// Owns a file descriptor; a negative one is none.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  // The caller closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace base
