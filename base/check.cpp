// SPDX-License-Identifier: ISC
#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace base {

void panic(const char* file, int line, const char* what) noexcept {
  std::fprintf(stderr, "panic: %s:%d: %s\n", file, line, what);
  std::abort();
}

}  // namespace base
