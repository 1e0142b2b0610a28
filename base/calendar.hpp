// SPDX-License-Identifier: ISC
// base/calendar.hpp: the Gregorian calendar: dates and times of day from seconds, and back.
//
// States:  DateTime, days_since_1970, days_in, seconds_of, date_time_of.   May include: std only.
// Source:  POSIX, "Seconds Since the Epoch": no leap seconds. Not std::chrono's calendar: machines
//          compile this without floating point, which clang does not take <chrono> with.

#pragma once

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

// Days since 1970-01-01. Eras of 400 years (146,097 days) begin in March, so that the leap day is
// the last of its year.
[[nodiscard]] constexpr std::int64_t days_since_1970(std::int64_t year, std::int64_t month,
                                                     std::int64_t day) noexcept {
  if (month <= 2) --year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t in_era = year - era * 400;
  const std::int64_t in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  return era * 146'097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719'468;
}

[[nodiscard]] constexpr std::uint32_t days_in(std::int32_t year, std::uint32_t month) noexcept {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Seconds since 1970-01-01 UTC. Nothing if there is no such day or time of day.
[[nodiscard]] constexpr std::optional<std::int64_t> seconds_of(const DateTime& time) noexcept {
  const bool is_day = time.month >= 1 && time.month <= 12 && time.day >= 1 &&
                      time.day <= days_in(time.year, time.month);
  if (!is_day || time.hour > 23 || time.minute > 59 || time.second > 60) return std::nullopt;
  return days_since_1970(time.year, time.month, time.day) * seconds_a_day +
         std::int64_t{time.hour} * 3600 + std::int64_t{time.minute} * 60 + time.second;
}

// Years that an int32_t has.
[[nodiscard]] constexpr DateTime date_time_of(std::int64_t seconds) noexcept {
  std::int64_t days = seconds / seconds_a_day;
  if (seconds % seconds_a_day < 0) --days;
  const auto in_day = static_cast<std::uint32_t>(seconds - days * seconds_a_day);
  const std::int64_t z = days + 719'468;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const std::int64_t in_era = z - era * 146'097;
  const std::int64_t year = (in_era - in_era / 1460 + in_era / 36'524 - in_era / 146'096) / 365;
  const std::int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * in_year + 2) / 153;
  const auto day = static_cast<std::uint32_t>(in_year - (153 * month + 2) / 5 + 1);
  const auto month_of_year = static_cast<std::uint32_t>(month < 10 ? month + 3 : month - 9);
  return {static_cast<std::int32_t>(year + era * 400 + (month_of_year <= 2 ? 1 : 0)),
          month_of_year,
          day,
          in_day / 3600,
          in_day / 60 % 60,
          in_day % 60};
}

}  // namespace base
