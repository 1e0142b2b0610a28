// SPDX-License-Identifier: ISC
// base/console.hpp: where a target writes text for a person: standard output, or a serial line.

#pragma once

#include <string_view>

namespace base {

class Console {
 public:
  virtual ~Console() = default;
  // Writes all of `text`; blocks at most as long as the medium does; never fails the caller.
  virtual void write(std::string_view text) noexcept = 0;
};

}  // namespace base
