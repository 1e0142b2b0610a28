// SPDX-License-Identifier: ISC
// tests/http/date_test.cpp: HTTP dates in their three forms.
//
// Method: a table of texts; every day of 800 years written and read back, in all three forms.

#include "http/date.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace {

constexpr std::int64_t now_s = 1'700'000'000;  // 2023

std::string text(std::int64_t s) {
  http::DateText date = http::date_text(s);
  return {date.data(), date.size()};
}

TEST(Date, Written) {
  EXPECT_EQ(text(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(text(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(text(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(text(4107542399), "Sun, 28 Feb 2100 23:59:59 GMT");
  EXPECT_EQ(text(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT");
  EXPECT_EQ(text(http::date_s_max), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(text(-1), text(0));
  EXPECT_EQ(text(http::date_s_max + 1), text(http::date_s_max));
}

struct Row {
  std::string_view text;
  std::int64_t unix_s;
};
constexpr Row read[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},   {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},        {"Sun Nov 06 08:49:37 1994", 784111777},
    {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},  // not a Monday, but a date
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},           {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"Thu, 30 Jun 2016 23:59:60 GMT", 1467331200},   // a leap second
    {"Tuesday, 01-Jan-74 00:00:00 GMT", 126230400},  // 2074 is more than 50 years after 2023
    {"Monday, 01-Jan-73 00:00:00 GMT", 3250454400},  // 2073 is not
};
constexpr std::string_view refused[] = {
    "",
    "Sun",
    "Sun,",
    "Sunday",
    "0",
    "784111777",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 29 Feb 1900 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sun, 06 Nov 19994 08:49:37 GM",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun Nov  6 08:49:37 94  ",
    "Sun Nov  6 08:49:37 -994",
};

TEST(Date, Read) {
  for (const Row& row : read) EXPECT_EQ(http::parse_date(row.text, now_s), row.unix_s) << row.text;
  for (std::string_view each : refused) {
    EXPECT_EQ(http::parse_date(each, now_s), std::nullopt) << each;
  }
}

TEST(Date, EveryDayReadBackAsTheCLibraryWritesIt) {
  for (std::int64_t day = 0; day < 800 * 366; ++day) {
    std::int64_t s = day * 86400 + (day * 7919) % 86400;
    std::tm civil{};
    auto time = static_cast<std::time_t>(s);
    gmtime_r(&time, &civil);
    char imf[64], asctime[64];
    std::strftime(imf, sizeof imf, "%a, %d %b %Y %H:%M:%S GMT", &civil);
    std::strftime(asctime, sizeof asctime, "%a %b %e %H:%M:%S %Y", &civil);
    ASSERT_EQ(text(s), imf);
    ASSERT_EQ(http::parse_date(imf, now_s), s) << imf;
    ASSERT_EQ(http::parse_date(asctime, now_s), s) << asctime;
    if (civil.tm_year >= 74 && civil.tm_year <= 173) {  // two digits mean 1974 to 2073 in 2023
      char rfc850[64];
      std::strftime(rfc850, sizeof rfc850, "%A, %d-%b-%y %H:%M:%S GMT", &civil);
      ASSERT_EQ(http::parse_date(rfc850, now_s), s) << rfc850;
    }
  }
}

TEST(DateCache, IsMadeOnceASecond) {
  http::DateCache cache;
  EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(cache.at(1), "Thu, 01 Jan 1970 00:00:01 GMT");
  EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
