// SPDX-License-Identifier: ISC
#include "http/authority.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "http/syntax.hpp"

namespace http {

namespace {

using std::string_view;

// Unreserved characters and sub-delims, of which a registered name consists beside escapes.
constexpr std::array<bool, 256> make_name_table() {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32U] = true;
  for (char c : string_view("-._~!$&'()*+,;=")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> name_table = make_name_table();

// Are eight bytes small letters, digits, '-' or '.'? A byte below 128 carries into its highest bit
// when what is added makes it at least 128.
bool is_plain_word(const char* at) {
  constexpr std::uint64_t each = 0x0101010101010101U;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  auto from = [word](unsigned char first) { return word + each * (0x80U - first); };
  auto is_in = [from](unsigned char first, unsigned char last) {
    return from(first) & ~from(static_cast<unsigned char>(last + 1));
  };
  const std::uint64_t plain = (is_in('a', 'z') | is_in('0', '9') | is_in('-', '.')) & ~word;
  return (plain & each * 0x80U) == each * 0x80U;
}

bool is_name_char(char c) { return name_table[static_cast<unsigned char>(c)]; }

// "192.0.2.1": four numbers up to 255 without leading zeros.
bool is_ipv4(string_view text) {
  for (int left = 4;; text.remove_prefix(1)) {
    std::size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 4 && is_digit(text[digits])) {
      value = value * 10 + (text[digits++] - '0');
    }
    if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return false;
    text.remove_prefix(digits);
    if (--left == 0) return text.empty();
    if (!text.starts_with('.')) return false;
  }
}

// Groups of up to four hexadecimal digits; the last two may be an IPv4 address; one "::" stands for
// at least one group of zeros.
bool is_ipv6(string_view text) {
  int groups = 0;
  bool elided = text.starts_with("::");
  if (elided) text.remove_prefix(2);
  while (!text.empty()) {
    std::size_t end = text.find(':');
    string_view group = text.substr(0, end);
    if (end == string_view::npos && group.find('.') != string_view::npos) {
      if (!is_ipv4(group)) return false;
      groups += 2;
      break;
    }
    if (group.empty() || group.size() > 4 || !std::ranges::all_of(group, is_hex_digit))
      return false;
    ++groups;
    if (end == string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.starts_with(':')) {
      if (elided) return false;
      elided = true;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;
    }
  }
  return elided ? groups < 8 : groups == 8;
}

// "v1.fe80::a+en1", a future kind of address.
bool is_ip_future(string_view text) {
  std::size_t dot = text.find('.');
  if (dot == string_view::npos || dot < 2 || dot + 1 == text.size()) return false;
  if (text[0] != 'v' && text[0] != 'V') return false;
  return std::ranges::all_of(text.substr(1, dot - 1), is_hex_digit) &&
         std::ranges::all_of(text.substr(dot + 1),
                             [](char c) { return is_name_char(c) || c == ':'; });
}

// A length of the front that surely has nothing but small letters, digits, '-' and '.': of most
// names all. Looks at eight bytes at a time, the last of which may overlap.
std::size_t plain_bytes(string_view text) {
  if (text.size() < 8) return 0;
  std::size_t at = 0;
  while (text.size() - at >= 8 && is_plain_word(text.data() + at)) at += 8;
  const std::size_t left = text.size() - at;
  return left < 8 && is_plain_word(text.data() + text.size() - 8) ? text.size() : at;
}

// The end of the host at the start of `text`; npos where that is malformed.
std::size_t end_of_host(string_view text) {
  if (text.starts_with('[')) {
    std::size_t close = text.find(']');
    if (close == string_view::npos) return close;
    string_view inside = text.substr(1, close - 1);
    return is_ipv6(inside) || is_ip_future(inside) ? close + 1 : string_view::npos;
  }
  std::size_t at = plain_bytes(text);
  for (;;) {
    while (at < text.size() && is_name_char(text[at])) ++at;
    if (at == text.size()) return at;
    if (text[at] == '%' && text.size() - at > 2 && is_hex_digit(text[at + 1]) &&
        is_hex_digit(text[at + 2])) {
      at += 3;
    } else {
      return text[at] == ':' ? at : string_view::npos;
    }
  }
}

}  // namespace

std::optional<Authority> parse_authority(string_view text) noexcept {
  const std::size_t end = end_of_host(text);
  if (end == string_view::npos) return std::nullopt;
  Authority authority{text.substr(0, end), {}};
  if (end == text.size()) return authority;
  authority.port = text.substr(end + 1);
  if (text[end] != ':' || end == 0 || !std::ranges::all_of(authority.port, is_digit)) {
    return std::nullopt;
  }
  return authority;
}

}  // namespace http
