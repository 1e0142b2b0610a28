// SPDX-License-Identifier: ISC
#include "crunch/source_date.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/calendar.hpp"
#include "crunch/failure.hpp"

namespace crunch {

std::optional<std::int64_t> source_date_epoch() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return std::nullopt;
  std::string_view word = text;
  std::int64_t seconds = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), seconds);
  if (error != std::errc() || end != word.data() + word.size() || seconds < 0 ||
      seconds > modified_s_max) {
    throw Failure("SOURCE_DATE_EPOCH is " + in_quotes(word) +
                  "; it must be a number of seconds since 1970, or not be set");
  }
  return seconds;
}

std::string utc_text(std::int64_t seconds) {
  const base::DateTime time = base::date_time_of(seconds);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02u:%02u:%02uZ", time.year, time.month,
                time.day, time.hour, time.minute, time.second);
  return text.data();
}

}  // namespace crunch
