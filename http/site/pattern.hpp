// SPDX-License-Identifier: ISC
// http/site/pattern.hpp: whether a path fits a pattern, what its captures are, and texts that are
// filled with them.
//
// Meaning: as of a regular expression that is greedy from the left: the first capture takes as much
//          as lets the rest fit.
// Cost:    parts times bytes, whatever the pattern: from the end it is noted where the rest can
//          begin, then one walk from the left. No allocation; 6 KiB of stack.
// May include: std, http/site/plan.

#pragma once

#include <array>
#include <string_view>

#include "http/site/plan.hpp"
#include "http/writer.hpp"

namespace http::site {

// Longer texts fit no pattern with two captures or more.
inline constexpr std::size_t matched_bytes_max = 5119;

struct Captures {
  std::array<std::string_view, captures_max> at{};  // in the text that was matched
};

// `fold`: small and capital letters are the same. The captures of a text that does not fit are
// anything.
[[nodiscard]] bool matches(const Plan& plan, Range pattern, std::string_view text, bool fold,
                           Captures& captures) noexcept;

// Appends the pieces with the captures in their places.
void fill(const Plan& plan, Range pieces, const Captures& captures, Writer& out) noexcept;

}  // namespace http::site
