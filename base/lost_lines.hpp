// SPDX-License-Identifier: ISC
// base/lost_lines.hpp: a console, which takes lines or loses and counts them.
//
// States:  taking -> losing (the medium did not take a line, or only a part of it) -> taking (it
//          takes the line that says how many were lost).
// Rule:    each line is either written or counted as lost. Nothing here waits; how long the medium
//          waits for its reader is its own matter.
// Used by: targets/libos, tender.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace base {

class LostLines {
 public:
  // `put(text)` writes it; false: it did not take all of it.
  template <class Put>
  void write(std::string_view text, const Put& put) noexcept {
    if (count_ > 0 && !say(put)) {
      count_ += lines_in(text);
      return;
    }
    if (!put(text)) count_ += lines_in(text);
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  static std::uint64_t lines_in(std::string_view text) noexcept {
    const auto ends = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    return !text.empty() && text.back() != '\n' ? ends + 1 : ends;
  }

  // On a line of its own: the last one that was begun may have been cut.
  template <class Put>
  bool say(const Put& put) noexcept {
    std::array<char, 96> line{};
    const int size =
        std::snprintf(line.data(), line.size(),
                      "\nwarning: the console was not read in time; %llu lines were lost\n",
                      static_cast<unsigned long long>(count_));
    if (!put(std::string_view(line.data(), static_cast<std::size_t>(size)))) return false;
    count_ = 0;
    return true;
  }

  std::uint64_t count_ = 0;  // lost, and not yet told
};

}  // namespace base
