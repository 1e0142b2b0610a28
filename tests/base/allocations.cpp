// SPDX-License-Identifier: ISC
#include "tests/base/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CRUNCH_OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CRUNCH_OWN_MALLOC 0
#endif
#endif
#ifndef CRUNCH_OWN_MALLOC
#define CRUNCH_OWN_MALLOC 1
#endif

namespace {

std::atomic<std::size_t> count{0};

struct Plan {
  std::size_t skipped_left = 0;
  std::size_t failing_left = 0;
  std::size_t failed = 0;
  int spared = 0;
};
constinit thread_local Plan plan;

// Counts one more; false: it is to fail.
bool allow() noexcept {
  count.fetch_add(1, std::memory_order_relaxed);
  if (plan.failing_left == 0 || plan.spared > 0) return true;
  if (plan.skipped_left > 0) {
    --plan.skipped_left;
    return true;
  }
  if (plan.failing_left != FailingAllocations::all) --plan.failing_left;
  ++plan.failed;
  return false;
}

}  // namespace

std::size_t allocation_count() { return count; }

FailingAllocations::FailingAllocations(std::size_t skipped, std::size_t failing) noexcept {
  plan = {skipped, failing, 0, plan.spared};
}
FailingAllocations::~FailingAllocations() { plan.failing_left = 0; }
std::size_t FailingAllocations::failed_count() noexcept { return plan.failed; }

Spared::Spared() noexcept { ++plan.spared; }
Spared::~Spared() { --plan.spared; }

#if CRUNCH_OWN_MALLOC

// glibc's own, under the names that it keeps for programs which replace the others.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t items, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

void* malloc(std::size_t size) { return allow() ? __libc_malloc(size) : nullptr; }
void* calloc(std::size_t items, std::size_t size) {
  return allow() ? __libc_calloc(items, size) : nullptr;
}
void* realloc(void* memory, std::size_t size) {
  return allow() ? __libc_realloc(memory, size) : nullptr;
}
}
#endif

void* operator new(std::size_t size) {
#if CRUNCH_OWN_MALLOC
  void* const memory = malloc(size);
#else
  void* const memory = allow() ? std::malloc(size) : nullptr;
#endif
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
