// SPDX-License-Identifier: ISC
// base/console.hpp: where a target writes text for a person: standard output, or a serial line.

#pragma once

#include <string_view>

namespace base {

class Console {
 public:
  virtual ~Console() = default;
  // Takes `text`, whole lines, or drops all of it. Law: it never waits for the reader (a pipe
  // that is full, a terminal that is stopped, a slow disk, a host that does not look); at most for
  // a moment, as a serial line takes to send. Never fails the caller.
  virtual void write(std::string_view text) noexcept = 0;
};

}  // namespace base
