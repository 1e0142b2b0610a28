// SPDX-License-Identifier: ISC
// http/date.hpp: HTTP's dates, written in one form and read in three (RFC 9110 section 5.6.7).
//
// May include: base/calendar.hpp.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace http {

inline constexpr std::size_t date_bytes = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"
using DateText = std::array<char, date_bytes>;

// The last second that has four digits of year.
inline constexpr std::int64_t date_s_max = 253'402'300'799;

// The first second of 1991, when the Web was young: an earlier time of a file is none, but what
// tools set that know no time (0, 1: Nix, ostree; 1980: zip, buildpacks; 1985: npm).
inline constexpr std::int64_t modified_s_min = 662'688'000;

// Whether `modified_s` is a time of a last change that can be said.
[[nodiscard]] constexpr bool is_modification_time(std::int64_t modified_s) noexcept {
  return modified_s >= modified_s_min && modified_s <= date_s_max;
}

// IMF-fixdate of `unix_s`, seconds since 1970-01-01 UTC; outside [0, date_s_max] the nearest end.
[[nodiscard]] DateText date_text(std::int64_t unix_s) noexcept;

// Reads IMF-fixdate, RFC 850 and asctime forms. `now_s` settles RFC 850's two-digit years: one that
// seems more than 50 years ahead is in the past. Nothing: not a date, so to be ignored.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text,
                                                     std::int64_t now_s) noexcept;

// The Date field's text, made once a second.
class DateCache {
 public:
  [[nodiscard]] std::string_view at(std::int64_t unix_s) noexcept {
    if (unix_s != made_for_) {
      text_ = date_text(unix_s);
      made_for_ = unix_s;
    }
    return {text_.data(), text_.size()};
  }

 private:
  std::int64_t made_for_ = -1;
  DateText text_{};
};

}  // namespace http
