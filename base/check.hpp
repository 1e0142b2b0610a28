// SPDX-License-Identifier: ISC
// base/check.hpp: CHECK, for what can only be false by a bug in this program.
//
// On in every build. One condition each, without side effects. Foreign input never reaches a CHECK:
// it is refused by a Result before.

#pragma once

namespace base {

// Writes "file:line: what" to standard error and aborts.
[[noreturn]] void panic(const char* file, int line, const char* what) noexcept;

}  // namespace base

#define CHECK(condition)        \
  (static_cast<bool>(condition) \
       ? static_cast<void>(0)   \
       : ::base::panic(__FILE__, __LINE__, "CHECK(" #condition ") is false"))
