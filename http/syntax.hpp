// SPDX-License-Identifier: ISC
// http/syntax.hpp: the small grammar that header fields share (RFC 9110 section 5.6).
//
// May include: std.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace http {

namespace detail {
constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32U] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
inline constexpr std::array<bool, 256> token_table = make_token_table();
}  // namespace detail

[[nodiscard]] constexpr bool is_token_char(char c) {
  return detail::token_table[static_cast<unsigned char>(c)];
}
[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
[[nodiscard]] constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }

// `lower` is in lower case and of letters, digits and '-'; `text` in any case.
[[nodiscard]] constexpr bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c != lower[i]) return false;
  }
  return true;
}

// Without optional whitespace at both ends.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the next element off a comma-separated list without quoted strings; empty ones are skipped
// (RFC 9110 section 5.6.1.2). False: there is none.
[[nodiscard]] constexpr bool next_element(std::string_view& rest, std::string_view& element) {
  while (!rest.empty()) {
    std::size_t comma = 0;
    while (comma < rest.size() && rest[comma] != ',') ++comma;
    element = trimmed(rest.substr(0, comma));
    rest.remove_prefix(comma < rest.size() ? comma + 1 : comma);
    if (!element.empty()) return true;
  }
  return false;
}

// Digits only; more than fit are the largest number, which no limit allows. Nothing: not a number.
[[nodiscard]] constexpr std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr std::uint64_t most = ~std::uint64_t{0};
  std::uint64_t value = 0;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (most - digit) / 10 ? most : value * 10 + digit;
    // Once at the largest, every further digit keeps it there: (most - digit) / 10 is less.
  }
  return value;
}

}  // namespace http
