// SPDX-License-Identifier: ISC
#include "tests/tls/refusals.hpp"

#include <cstdlib>
#include <new>

Refusals refusals;

namespace {

bool refuses() {
  if (!refusals.active) return false;
  const std::uint64_t number = refusals.count++;
  return number >= refusals.fail_from && number - refusals.fail_from < refusals.fail_count;
}

}  // namespace

extern "C" {
void* __real_calloc(std::size_t count, std::size_t size);
void* __wrap_calloc(std::size_t count, std::size_t size) {
  return refuses() ? nullptr : __real_calloc(count, size);
}
}

void* operator new(std::size_t size) {
  if (refuses()) throw std::bad_alloc();
  if (void* at = std::malloc(size)) return at;
  throw std::bad_alloc();
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
