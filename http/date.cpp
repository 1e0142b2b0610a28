// SPDX-License-Identifier: ISC
#include "http/date.hpp"

#include <algorithm>

namespace http {

namespace {

using std::string_view;

constexpr string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::array<string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};
constexpr std::int64_t day_s = 86400;

struct Civil {
  std::int64_t year;
  int month;  // 1 to 12
  int day;    // 1 to 31
};

// The proleptic Gregorian calendar by eras of 400 years (146,097 days) that begin in March, so that
// the leap day is the last of its year.
constexpr std::int64_t days_of(Civil date) {
  std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  std::int64_t in_era = year - era * 400;
  std::int64_t month = (date.month + 9) % 12;
  std::int64_t in_year = (153 * month + 2) / 5 + date.day - 1;
  return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

constexpr Civil civil_of(std::int64_t days_since_1970) {
  std::int64_t z = days_since_1970 + 719468;
  std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  std::int64_t in_era = z - era * 146097;
  std::int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
  std::int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
  std::int64_t month = (5 * in_year + 2) / 153;
  int day = static_cast<int>(in_year - (153 * month + 2) / 5 + 1);
  int m = static_cast<int>(month < 10 ? month + 3 : month - 9);
  return {year + era * 400 + (m <= 2 ? 1 : 0), m, day};
}
static_assert(days_of({1970, 1, 1}) == 0 && days_of({2000, 2, 29}) == 11016);

constexpr int days_in(std::int64_t year, int month) {
  constexpr std::array<int, 12> lengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : lengths[static_cast<std::size_t>(month - 1)];
}

// Reads from the front of a text; once something did not fit, all that follows fails.
class Scan {
 public:
  explicit Scan(string_view text) : rest_(text) {}
  bool literal(string_view text) {
    if (!rest_.starts_with(text)) return ok_ = false;
    rest_.remove_prefix(text.size());
    return ok_;
  }
  int number(std::size_t digits) {
    int value = 0;
    if (rest_.size() < digits) ok_ = false;
    for (std::size_t i = 0; ok_ && i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') ok_ = false;
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(digits);
    return value;
  }
  int month() {
    for (std::size_t i = 0; i < 12; ++i) {
      if (rest_.starts_with(months.substr(3 * i, 3))) {
        rest_.remove_prefix(3);
        return static_cast<int>(i) + 1;
      }
    }
    ok_ = false;
    return 0;
  }
  // asctime writes " 6" for the sixth.
  int padded_day() {
    if (rest_.starts_with(' ')) {
      rest_.remove_prefix(1);
      return number(1);
    }
    return number(2);
  }
  std::int64_t time_of_day() {
    int hour = number(2);
    literal(":");
    int minute = number(2);
    literal(":");
    int second = number(2);
    if (hour > 23 || minute > 59 || second > 60) ok_ = false;  // 60: a leap second
    return hour * 3600 + minute * 60 + second;
  }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  string_view rest_;
  bool ok_ = true;
};

std::optional<std::int64_t> seconds_of(const Scan& scan, Civil date, std::int64_t time_s) {
  if (!scan.done() || date.month < 1 || date.day < 1 || date.day > days_in(date.year, date.month)) {
    return std::nullopt;
  }
  return days_of(date) * day_s + time_s;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> parse_imf(string_view text) {
  Scan scan(text.substr(3));
  scan.literal(", ");
  int day = scan.number(2);
  scan.literal(" ");
  int month = scan.month();
  scan.literal(" ");
  int year = scan.number(4);
  scan.literal(" ");
  std::int64_t time_s = scan.time_of_day();
  scan.literal(" GMT");
  return seconds_of(scan, {year, month, day}, time_s);
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<std::int64_t> parse_rfc850(string_view text, string_view weekday,
                                         std::int64_t now_s) {
  Scan scan(text.substr(weekday.size()));
  scan.literal(", ");
  int day = scan.number(2);
  scan.literal("-");
  int month = scan.month();
  scan.literal("-");
  std::int64_t year = scan.number(2);
  scan.literal(" ");
  std::int64_t time_s = scan.time_of_day();
  scan.literal(" GMT");
  std::int64_t now_year = civil_of(now_s / day_s).year;
  year += now_year / 100 * 100;
  if (year > now_year + 50) year -= 100;
  return seconds_of(scan, {year, month, day}, time_s);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_asctime(string_view text) {
  Scan scan(text.substr(3));
  scan.literal(" ");
  int month = scan.month();
  scan.literal(" ");
  int day = scan.padded_day();
  scan.literal(" ");
  std::int64_t time_s = scan.time_of_day();
  scan.literal(" ");
  int year = scan.number(4);
  return seconds_of(scan, {year, month, day}, time_s);
}

char digit(std::int64_t value) { return static_cast<char>('0' + value % 10); }

}  // namespace

DateText date_text(std::int64_t unix_s) noexcept {
  std::int64_t seconds = std::clamp<std::int64_t>(unix_s, 0, date_s_max);
  std::int64_t day = seconds / day_s;
  std::int64_t time = seconds % day_s;
  Civil date = civil_of(day);
  DateText out;
  char* at = out.data();
  auto text = [&at](string_view part) { at = std::ranges::copy(part, at).out; };
  auto two = [&at](std::int64_t value) {
    *at++ = digit(value / 10);
    *at++ = digit(value);
  };
  text(days[static_cast<std::size_t>((day + 4) % 7)].substr(0, 3));  // 1970 began on a Thursday
  text(", ");
  two(date.day);
  text(" ");
  text(months.substr(static_cast<std::size_t>(date.month - 1) * 3, 3));
  text(" ");
  two(date.year / 100);
  two(date.year % 100);
  text(" ");
  two(time / 3600);
  text(":");
  two(time / 60 % 60);
  text(":");
  two(time % 60);
  text(" GMT");
  return out;
}

std::optional<std::int64_t> parse_date(string_view text, std::int64_t now_s) noexcept {
  // The name of the day is looked at for its form only: that it fits the date is nobody's concern.
  for (string_view weekday : days) {
    if (!text.starts_with(weekday.substr(0, 3))) continue;
    if (text.size() == date_bytes && text[3] == ',') return parse_imf(text);
    if (text.size() == 24 && text[3] == ' ') return parse_asctime(text);
    if (text.starts_with(weekday)) return parse_rfc850(text, weekday, now_s);
  }
  return std::nullopt;
}

}  // namespace http
