// SPDX-License-Identifier: ISC
// crunch/progress.hpp: shows progress: a bar on a terminal, nothing on a pipe.
//
// States:  Progress, and numbers as people read them.   Writes: standard error.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace crunch {

// "17 bytes", "4.2 MB" (powers of ten).
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

class Progress {
 public:
  // `total` is what `show` counts up to. Not shown if standard error is no terminal.
  Progress(std::string_view what, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws at most ten times a second.
  void show(std::uint64_t done, std::string_view detail);
  // Writes a line above the bar.
  void say(const std::string& line);

 private:
  void clear();

  std::string what_;
  std::uint64_t total_;
  bool is_terminal_;
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace crunch
