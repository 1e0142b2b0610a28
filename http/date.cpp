// SPDX-License-Identifier: ISC
#include "http/date.hpp"

#include <algorithm>

#include "base/calendar.hpp"

namespace http {

namespace {

using std::string_view;

constexpr string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::array<string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};

// Reads from the front of a text; once something did not fit, all that follows fails.
class Scan {
 public:
  explicit Scan(string_view text) : rest_(text) {}
  bool literal(string_view text) {
    if (!rest_.starts_with(text)) return ok_ = false;
    rest_.remove_prefix(text.size());
    return ok_;
  }
  std::uint32_t number(std::size_t digits) {
    std::uint32_t value = 0;
    if (rest_.size() < digits) ok_ = false;
    for (std::size_t i = 0; ok_ && i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') ok_ = false;
      value = value * 10 + static_cast<std::uint32_t>(rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(digits);
    return value;
  }
  std::uint32_t month() {
    for (std::uint32_t i = 0; i < 12; ++i) {
      if (rest_.starts_with(months.substr(std::size_t{3} * i, 3))) {
        rest_.remove_prefix(3);
        return i + 1;
      }
    }
    ok_ = false;
    return 0;
  }
  // asctime writes " 6" for the sixth.
  std::uint32_t padded_day() {
    if (rest_.starts_with(' ')) {
      rest_.remove_prefix(1);
      return number(1);
    }
    return number(2);
  }
  void time_of_day(base::DateTime& time) {
    time.hour = number(2);
    literal(":");
    time.minute = number(2);
    literal(":");
    time.second = number(2);
  }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  string_view rest_;
  bool ok_ = true;
};

std::optional<std::int64_t> seconds_of(const Scan& scan, const base::DateTime& time) {
  return scan.done() ? base::seconds_of(time) : std::nullopt;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> parse_imf(string_view text) {
  Scan scan(text.substr(3));
  base::DateTime time;
  scan.literal(", ");
  time.day = scan.number(2);
  scan.literal(" ");
  time.month = scan.month();
  scan.literal(" ");
  time.year = static_cast<std::int32_t>(scan.number(4));
  scan.literal(" ");
  scan.time_of_day(time);
  scan.literal(" GMT");
  return seconds_of(scan, time);
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<std::int64_t> parse_rfc850(string_view text, string_view weekday,
                                         std::int64_t now_s) {
  Scan scan(text.substr(weekday.size()));
  base::DateTime time;
  scan.literal(", ");
  time.day = scan.number(2);
  scan.literal("-");
  time.month = scan.month();
  scan.literal("-");
  time.year = static_cast<std::int32_t>(scan.number(2));
  scan.literal(" ");
  scan.time_of_day(time);
  scan.literal(" GMT");
  const std::int32_t now_year = base::date_time_of(now_s).year;
  time.year += now_year / 100 * 100;
  if (time.year > now_year + 50) time.year -= 100;
  return seconds_of(scan, time);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_asctime(string_view text) {
  Scan scan(text.substr(3));
  base::DateTime time;
  scan.literal(" ");
  time.month = scan.month();
  scan.literal(" ");
  time.day = scan.padded_day();
  scan.literal(" ");
  scan.time_of_day(time);
  scan.literal(" ");
  time.year = static_cast<std::int32_t>(scan.number(4));
  return seconds_of(scan, time);
}

char digit(std::uint32_t value) { return static_cast<char>('0' + value % 10); }

}  // namespace

DateText date_text(std::int64_t unix_s) noexcept {
  std::int64_t seconds = std::clamp<std::int64_t>(unix_s, 0, date_s_max);
  const base::DateTime time = base::date_time_of(seconds);
  const auto year = static_cast<std::uint32_t>(time.year);
  // 1970 began on a Thursday.
  const auto weekday = static_cast<std::size_t>((seconds / base::seconds_a_day + 4) % 7);
  DateText out;
  char* at = out.data();
  auto text = [&at](string_view part) { at = std::ranges::copy(part, at).out; };
  auto two = [&at](std::uint32_t value) {
    *at++ = digit(value / 10);
    *at++ = digit(value);
  };
  text(days[weekday].substr(0, 3));
  text(", ");
  two(time.day);
  text(" ");
  text(months.substr(std::size_t{3} * (time.month - 1), 3));
  text(" ");
  two(year / 100);
  two(year % 100);
  text(" ");
  two(time.hour);
  text(":");
  two(time.minute);
  text(":");
  two(time.second);
  text(" GMT");
  return out;
}

std::optional<std::int64_t> parse_date(string_view text, std::int64_t now_s) noexcept {
  // The name of the day is only checked for its form: whether it fits the date does not matter.
  for (string_view weekday : days) {
    if (!text.starts_with(weekday.substr(0, 3))) continue;
    if (text.size() == date_bytes && text[3] == ',') return parse_imf(text);
    if (text.size() == 24 && text[3] == ' ') return parse_asctime(text);
    if (text.starts_with(weekday)) return parse_rfc850(text, weekday, now_s);
  }
  return std::nullopt;
}

}  // namespace http
