// SPDX-License-Identifier: ISC
#include "acme/text.hpp"

#include "base/calendar.hpp"

namespace acme {
namespace {

using std::string_view;

constexpr string_view url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr string_view pem_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encoded(string_view bytes, string_view digits) {
  std::string out;
  out.reserve(bytes.size() / 3 * 4 + 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (count += 8; count >= 6;) {
      count -= 6;
      out += digits[bits >> count & 63U];
    }
  }
  if (count > 0) out += digits[bits << (6 - count) & 63U];
  return out;
}

// All of it are digits, at most nine.
std::optional<std::uint32_t> number(string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  std::uint32_t out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return out;
}

// Of "04:00:00".
bool take_time(string_view text, base::DateTime& out) {
  const auto hour = number(text.substr(0, 2));
  const auto minute = number(text.substr(3, 2));
  const auto second = number(text.substr(6, 2));
  if (text[2] != ':' || text[5] != ':' || !hour || !minute || !second) return false;
  out.hour = *hour;
  out.minute = *minute;
  out.second = *second;
  return true;
}

// Seconds east of UTC.
std::optional<std::int64_t> zone(string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return {};
  const auto hours = number(text.substr(1, 2));
  const auto minutes = number(text.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return {};
  const std::int64_t east = std::int64_t{*hours} * 3600 + std::int64_t{*minutes} * 60;
  return text[0] == '-' ? -east : east;
}

}  // namespace

std::string base64url(string_view bytes) { return encoded(bytes, url_digits); }

std::optional<std::string> decode_base64url(string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t digit = url_digits.find(c);
    if (digit == string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xffU);
    }
  }
  return out;
}

bool is_base64url(string_view text) noexcept {
  return !text.empty() && text.find_first_not_of(url_digits) == string_view::npos;
}

std::string pem_text(string_view label, string_view der) {
  std::string digits = encoded(der, pem_digits);
  digits.resize((digits.size() + 3) / 4 * 4, '=');
  std::string out = "-----BEGIN " + std::string(label) + "-----\n";
  for (std::size_t at = 0; at < digits.size(); at += 64) {
    out += digits.substr(at, 64);
    out += '\n';
  }
  return out + "-----END " + std::string(label) + "-----\n";
}

std::optional<std::int64_t> rfc3339_seconds(string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't')) {
    return std::nullopt;
  }
  const auto year = number(text.substr(0, 4));
  const auto month = number(text.substr(5, 2));
  const auto day = number(text.substr(8, 2));
  base::DateTime time;
  if (!year || !month || !day || !take_time(text.substr(11, 8), time)) return std::nullopt;
  time.year = static_cast<std::int32_t>(*year);
  time.month = *month;
  time.day = *day;
  text.remove_prefix(19);
  if (text.starts_with('.')) {
    std::size_t end = 1;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end == 1) return std::nullopt;
    text.remove_prefix(end);
  }
  const auto east = zone(text);
  const auto seconds = base::seconds_of(time);
  if (!east || !seconds) return std::nullopt;
  return *seconds - *east;
}

std::optional<std::int64_t> retry_after_seconds(string_view value, std::int64_t now_s) {
  if (const auto seconds = number(value)) return now_s + std::int64_t{*seconds};
  // IMF-fixdate; the obsolete forms are not sent by any CA.
  constexpr string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (value.size() != 29 || !value.ends_with(" GMT")) return std::nullopt;
  const auto day = number(value.substr(5, 2));
  const std::size_t month = months.find(value.substr(8, 3));
  const auto year = number(value.substr(12, 4));
  base::DateTime time;
  if (!day || !year || month == string_view::npos || month % 3 != 0 ||
      !take_time(value.substr(17, 8), time)) {
    return std::nullopt;
  }
  time.year = static_cast<std::int32_t>(*year);
  time.month = static_cast<std::uint32_t>(month / 3 + 1);
  time.day = *day;
  return base::seconds_of(time);
}

}  // namespace acme
