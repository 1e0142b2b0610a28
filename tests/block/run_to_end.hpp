// SPDX-License-Identifier: ISC
// tests/block/run_to_end.hpp: a call of a device that a test plays, run to its end.

#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "base/loop.hpp"
#include "base/task.hpp"

namespace block {

// Its result; `turn()` turns `loop` once and lets the device act.
template <class T, class Turn>
T run_to_end(base::Loop& loop, base::Task<T> task, const Turn& turn) {
  constexpr int turns_max = 100'000;
  std::optional<T> out;
  const auto keep = [](base::Task<T> of, std::optional<T>& to) -> base::Task<void> {
    to = co_await std::move(of);
  };
  loop.spawn(keep(std::move(task), out));
  for (int i = 0; i < turns_max && !out; ++i) turn();
  EXPECT_TRUE(out);
  return std::move(*out);
}

}  // namespace block
