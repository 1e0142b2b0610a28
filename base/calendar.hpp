// SPDX-License-Identifier: ISC
// base/calendar.hpp: the Gregorian calendar: dates and times of day from seconds, and back.
//
// States:  DateTime, seconds_of, date_time_of.   May include: std only.
// Source:  POSIX, "Seconds Since the Epoch": no leap seconds. std::chrono knows the calendar.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace base {

// In UTC.
struct DateTime {
  std::int32_t year = 1970;
  std::uint32_t month = 1;  // 1 to 12
  std::uint32_t day = 1;    // 1 to 31
  std::uint32_t hour = 0;
  std::uint32_t minute = 0;
  std::uint32_t second = 0;  // 60: a leap second, which is the next minute's second 0
  bool operator==(const DateTime&) const = default;
};

inline constexpr std::int64_t seconds_a_day = 86'400;

// Seconds since 1970-01-01 UTC. Nothing if there is no such day or time of day.
[[nodiscard]] constexpr std::optional<std::int64_t> seconds_of(const DateTime& time) noexcept {
  // std::chrono's own types are narrower than ours.
  constexpr std::int32_t year_max = 32'767;
  if (time.year < -year_max || time.year > year_max || time.month > 12 || time.day > 31) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year(time.year), std::chrono::month(time.month), std::chrono::day(time.day)};
  if (!date.ok() || time.hour > 23 || time.minute > 59 || time.second > 60) return std::nullopt;
  return std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * seconds_a_day +
         std::int64_t{time.hour} * 3600 + time.minute * 60 + time.second;
}

// The years from -32767 to 32767.
[[nodiscard]] constexpr DateTime date_time_of(std::int64_t seconds) noexcept {
  std::int64_t days = seconds / seconds_a_day;
  if (seconds % seconds_a_day < 0) --days;
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  const auto in_day = static_cast<std::uint32_t>(seconds - days * seconds_a_day);
  return {static_cast<std::int32_t>(date.year()),
          static_cast<std::uint32_t>(date.month()),
          static_cast<std::uint32_t>(date.day()),
          in_day / 3600,
          in_day / 60 % 60,
          in_day % 60};
}

}  // namespace base
