// SPDX-License-Identifier: ISC
// tests/tls/refusals.hpp: makes chosen allocations fail, by replacing operator new and calloc.
//
// Use: the program is linked with -Wl,--wrap=calloc, for mbedTLS takes its memory by it.

#pragma once

#include <cstdint>

struct Refusals {
  bool active = false;      // allocations are counted, and may fail
  std::uint64_t count = 0;  // so far; may be set
  std::uint64_t fail_from = 0;
  std::uint64_t fail_count = 0;  // how many fail from that number on
};
extern Refusals refusals;
