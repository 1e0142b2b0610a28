// SPDX-License-Identifier: ISC
#include "crunch/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace crunch {

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  auto value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  // 999.95 would be written as 1000.0.
  for (; value >= 999.95 && unit + 1 < units.size(); ++unit) value /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
  return text.data();
}

Progress::Progress(std::string_view what, std::uint64_t total)
    : what_(what), total_(total), is_terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (!is_drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  is_drawn_ = false;
}

void Progress::say(const std::string& line) {
  clear();
  std::fputs((line + "\n").c_str(), stderr);
}

void Progress::show(std::uint64_t done, std::string_view detail) {
  if (!is_terminal_) return;
  auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  constexpr std::size_t width = 30;
  double part = total_ == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total_);
  auto filled = std::min(width, static_cast<std::size_t>(part * width));
  std::string line =
      "\r" + what_ + " [" + std::string(filled, '#') + std::string(width - filled, ' ') + "] " +
      std::to_string(static_cast<int>(part * 100)) + "% " + std::string(detail) + "\x1b[K";
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  is_drawn_ = true;
}

}  // namespace crunch
