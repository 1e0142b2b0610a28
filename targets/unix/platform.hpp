// SPDX-License-Identifier: ISC
// targets/unix/platform.hpp: what a configuration gets on Unix, and how its threads start.
//
// States:  start: the first thread runs -> it calls ready() -> the other threads run -> a stop
//          signal, or the first thread's end -> on_stop of every thread -> all have ended.
// Rule:    threads share nothing but the process: each has a loop, an epoll and its own sockets
//          (net/sockets shares ports among them by SO_REUSEPORT).

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/console.hpp"
#include "base/descriptors.hpp"
#include "base/entropy.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "targets/unix/service.hpp"
#include "targets/unix/user.hpp"

namespace unix_target {

struct StartOptions {
  unsigned threads = 1;
  bool pin = false;  // thread i stays on the i-th CPU that the process may use
  base::LogLevel log_level = base::LogLevel::info;
  // SIGHUP ends the process, as when its terminal closes, instead of having files read again.
  bool ends_with_terminal = false;
  std::uint64_t memory_bytes = 0;  // that it may use; 0: what targets/unix/memory.hpp says
  // The process seals itself in ready(); see targets/unix/sandbox.hpp.
  bool sandbox = false;
  std::optional<User> user = {};
};

// Lines that standard output and standard error lost so far. From any thread.
[[nodiscard]] std::uint64_t lost_line_count() noexcept;

// What one thread has. It lives as long as the function that it is given to.
struct Platform {
  static constexpr bool has_files = true;
  base::Loop& loop;
  base::Clock& clock;
  base::Entropy& entropy;
  base::Descriptors& descriptors;
  base::Console& console;            // standard output: what was asked for (the access log)
  base::Log& log;                    // standard error: what an operator should know
  std::span<char* const> arguments;  // argv, without the program's name
  unsigned thread_index;
  unsigned thread_count;
  std::uint64_t memory_bytes;  // of the whole process
  Service& service;            // what its manager handed it; of the first thread

  [[nodiscard]] static std::uint64_t lost_line_count() noexcept {
    return unix_target::lost_line_count();
  }

  // Makes room in the process for `count` connections, or warns that there is none.
  void reserve_connections(std::uint64_t count) const;

  // The first thread calls it when its ports are open; then the process is sealed, and the others
  // start. So what is wrong with a port is said once, and no thread can take a port from the first.
  // Throws std::runtime_error where the user cannot be had. Harmless in others.
  std::function<void()> ready;
  // Set it to what ends this thread's work in order (drain); called at most once, on its loop.
  // Left empty: the loop is stopped.
  std::function<void()> on_stop;
  // Set it to what reads files again when an operator says that they have changed (SIGHUP). It runs
  // on this thread's loop; the first thread's has returned before others' begin. Left empty on the
  // first thread: a line says that there is nothing to read again.
  std::function<void()> on_reload;

  // From any thread: this one's on_call soon runs on its loop, once for any number of calls.
  std::function<void()> call;
  std::function<void()> on_call;

  // For the sandbox, before ready(): the system calls that devices and jobs declare, the files and
  // folders that are read again, and the folders beneath which files are changed.
  std::span<const int> system_calls;
  std::vector<std::string> read_again;
  std::vector<std::string> change_beneath;

  // Of the first thread, before ready(): files that are watched from then on, and what runs on its
  // loop when some of them have changed (watched_files.hpp).
  std::vector<std::string> watched;
  std::function<void()> on_files_changed;
};

// Runs `run` on each thread and gives the process's exit status: the first that is not 0, in order
// of threads. An exception that leaves `run` is logged and counts as 1.
int start(int argc, char** argv, const StartOptions& options,
          const std::function<int(Platform&)>& run);

}  // namespace unix_target
