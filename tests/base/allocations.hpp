// SPDX-License-Identifier: ISC
// tests/base/allocations.hpp: counts what the program allocates, and makes allocations fail.
//
// Method:  operator new and malloc are replaced; with a sanitizer, which has a malloc of its own,
//          operator new only.
// Used by: test programs that link allocations.cpp, each alone: it replaces them for the program.

#pragma once

#include <cstddef>

// Allocations so far, in every thread.
std::size_t allocation_count();

// While it lives, allocations of this thread fail: `count` of them, after `skipped` that succeed.
class FailingAllocations {
 public:
  static constexpr std::size_t all = static_cast<std::size_t>(-1);
  explicit FailingAllocations(std::size_t skipped = 0, std::size_t count = all) noexcept;
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;

  // How many have failed.
  [[nodiscard]] static std::size_t failed_count() noexcept;
};

// While it lives, this thread's allocations succeed and are not counted towards the failing one:
// for what belongs to the test.
class Spared {
 public:
  Spared() noexcept;
  ~Spared();
  Spared(const Spared&) = delete;
  Spared& operator=(const Spared&) = delete;
};
