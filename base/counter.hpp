// SPDX-License-Identifier: ISC
// base/counter.hpp: a number that one thread counts up and any thread reads.
//
// Rule:    one thread writes. So counting is a load and a store, and locks no bus; who reads gets
//          each number as it was at some moment, not all of them as they were at one.

#pragma once

#include <atomic>
#include <cstdint>

namespace base {

class Counter {
 public:
  Counter() noexcept = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void add(std::uint64_t more = 1) noexcept {
    value_.store(value() + more, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace base
