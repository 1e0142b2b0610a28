// SPDX-License-Identifier: ISC
#include "crunch/files.hpp"

#include <cerrno>
#include <cstdio>

#include "crunch/failure.hpp"

namespace crunch {

void print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return;
  if (errno != EPIPE) fail("write to", "standard output");
}

}  // namespace crunch
