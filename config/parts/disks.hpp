// SPDX-License-Identifier: ISC
// config/parts/disks.hpp: what parts that read disks have in common.
//
// States:  HasFiles, HasBlockDevices, block_file_calls, turn_until_done.
// Used by: config/parts/stores.hpp, vaults.hpp.

#pragma once

#include <array>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "config/system_calls.hpp"

namespace config {

// A target says by its Platform's `has_files` that processes beside it have files.
template <class Platform>
concept HasFiles = Platform::has_files;

// A machine that may have disks.
template <class Platform>
concept HasBlockDevices = requires(Platform& platform) {
  platform.block_devices;
};

// What a device, and the changes of a vault, call once the process is sealed.
inline constexpr std::array block_file_calls{SYS_pread64, SYS_pwrite64, SYS_fdatasync};

namespace detail {

template <class T>
struct Outcome {
  std::optional<T> result;
  std::exception_ptr thrown;
};

template <class T>
base::Task<void> keep_outcome(base::Task<T> task, Outcome<T>& out) {
  try {
    T result = co_await task;
    out.result.emplace(std::move(result));
  } catch (...) {
    out.thrown = std::current_exception();
  }
}

// The result of a task that waits for devices, before anything runs: turns the loop for it. What it
// waits for must have a deadline of its own, as the requests of block devices have.
template <class T>
T turn_until_done(base::Loop& loop, base::Task<T> task) {
  // A task that does not wait has ended after the first turn, which does not sleep; nobody wakes
  // the loop when another has ended.
  constexpr base::Duration nap = std::chrono::milliseconds(1);
  Outcome<T> outcome;
  loop.spawn(keep_outcome(std::move(task), outcome));
  for (base::Instant until = loop.clock().now(); !outcome.result && !outcome.thrown;
       until = loop.clock().now() + nap) {
    loop.turn(until);
  }
  if (outcome.thrown) std::rethrow_exception(outcome.thrown);
  return std::move(*outcome.result);
}

}  // namespace detail

}  // namespace config
