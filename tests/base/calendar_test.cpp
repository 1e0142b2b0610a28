// SPDX-License-Identifier: ISC
// Dates from seconds, and seconds from dates.
//
// Method: days at the edges of the calendar in both directions, with the seconds that date(1) says;
// what is no date.

#include "base/calendar.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace base {
namespace {

struct Row {
  std::int64_t seconds;
  DateTime time;
};

constexpr Row rows[] = {
    {0, {1970, 1, 1, 0, 0, 0}},
    {-1, {1969, 12, 31, 23, 59, 59}},
    {951'782'399, {2000, 2, 28, 23, 59, 59}},
    {951'782'400, {2000, 2, 29, 0, 0, 0}},
    {4'107'542'399, {2100, 2, 28, 23, 59, 59}},
    {4'107'542'400, {2100, 3, 1, 0, 0, 0}},
    {784'111'777, {1994, 11, 6, 8, 49, 37}},
    {253'402'300'799, {9999, 12, 31, 23, 59, 59}},
    {-62'167'219'200, {0, 1, 1, 0, 0, 0}},
};

TEST(Calendar, EachWayRound) {
  for (const Row& row : rows) {
    EXPECT_EQ(date_time_of(row.seconds), row.time) << row.seconds;
    EXPECT_EQ(seconds_of(row.time), row.seconds) << row.seconds;
  }
}

// An independent calendar: std::chrono's.
TEST(Calendar, EachDayOf800Years) {
  using std::chrono::days;
  for (int day = -146'097; day < 146'097; ++day) {
    const std::chrono::year_month_day date{std::chrono::sys_days(days(day))};
    const DateTime time = date_time_of(std::int64_t{day} * seconds_a_day);
    const DateTime right{static_cast<int>(date.year()),
                         static_cast<unsigned>(date.month()),
                         static_cast<unsigned>(date.day()),
                         0,
                         0,
                         0};
    ASSERT_EQ(time, right) << day;
    ASSERT_EQ(seconds_of(time), std::int64_t{day} * seconds_a_day);
  }
}

TEST(Calendar, ALeapSecondIsTheNextMinutesFirst) {
  EXPECT_EQ(seconds_of({2016, 12, 31, 23, 59, 60}), seconds_of({2017, 1, 1, 0, 0, 0}));
}

TEST(Calendar, WhatIsNoDate) {
  constexpr DateTime wrong[] = {
      {2023, 2, 29, 0, 0, 0},  {2100, 2, 29, 0, 0, 0},  {2024, 0, 1, 0, 0, 0},
      {2024, 13, 1, 0, 0, 0},  {2024, 1, 0, 0, 0, 0},   {2024, 4, 31, 0, 0, 0},
      {2024, 1, 1, 24, 0, 0},  {2024, 1, 1, 0, 60, 0},  {2024, 1, 1, 0, 0, 61},
      {2024, 257, 1, 0, 0, 0}, {2024, 1, 257, 0, 0, 0}, {2023, 2, 30, 0, 0, 0}};
  for (const DateTime& time : wrong) EXPECT_EQ(seconds_of(time), std::nullopt);
}

}  // namespace
}  // namespace base
