// SPDX-License-Identifier: ISC
#include "base/check.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/panic.hpp"

namespace base {

void (*tell_panic)(std::string_view line) noexcept = [](std::string_view line) noexcept {
  std::fwrite(line.data(), 1, line.size(), stderr);
};

void panic(const char* file, int line, const char* what) noexcept {
  std::array<char, 512> text{};
  const int size = std::snprintf(text.data(), text.size(), "panic: %s:%d: %s\n", file, line, what);
  tell_panic({text.data(), std::min(static_cast<std::size_t>(size), text.size() - 1)});
  std::abort();
}

}  // namespace base
