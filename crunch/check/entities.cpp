// SPDX-License-Identifier: ISC
// The part of crunch/check/html.hpp that resolves character references.
#include <algorithm>
#include <array>

#include "crunch/check/html.hpp"

namespace crunch::check {
namespace {

using std::string_view;

struct Entity {
  string_view name;  // with its ';', if it has one
  string_view text;  // in UTF-8
};
constexpr Entity entities[] = {
#include "crunch/check/entities.inc"
};
constexpr std::size_t entity_bytes_max = 33;
static_assert(std::ranges::is_sorted(entities, {}, &Entity::name));
static_assert(std::ranges::all_of(entities, [](const Entity& e) { return e.name.size() < 33; }));

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6U);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12U);
    out += static_cast<char>(0x80 | (code >> 6U & 0x3FU));
  } else {
    out += static_cast<char>(0xF0 | code >> 18U);
    out += static_cast<char>(0x80 | (code >> 12U & 0x3FU));
    out += static_cast<char>(0x80 | (code >> 6U & 0x3FU));
  }
  if (code >= 0x80) out += static_cast<char>(0x80 | (code & 0x3FU));
}

// Numbers that mean what windows-1252 has there (the standard's table of "numeric character
// reference end state").
constexpr std::array<std::uint16_t, 32> windows_1252{
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

int digit_of(char c, bool is_hexadecimal) {
  if (c >= '0' && c <= '9') return c - '0';
  if (is_hexadecimal && c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (is_hexadecimal && c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `text` is behind "&#". How many bytes of it belong to the reference; 0: it is none.
std::size_t append_number(std::string& out, string_view text) {
  const bool is_hexadecimal = text.starts_with('x') || text.starts_with('X');
  std::size_t at = is_hexadecimal ? 1 : 0;
  const std::size_t first = at;
  std::uint32_t code = 0;
  for (int digit = 0; at < text.size() && (digit = digit_of(text[at], is_hexadecimal)) >= 0; ++at) {
    code = std::min<std::uint32_t>(
        code * (is_hexadecimal ? 16 : 10) + static_cast<std::uint32_t>(digit), 0x110000);
  }
  if (at == first) return 0;
  if (code >= 0x80 && code <= 0x9F) code = windows_1252[code - 0x80];
  append_utf8(out, code);
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

// `text` is behind '&'. The longest name that it begins with; null: there is none.
const Entity* longest_entity(string_view text) {
  std::size_t size = 0;
  while (size < text.size() && size < entity_bytes_max && is_alphanumeric(text[size])) ++size;
  if (size < text.size() && text[size] == ';') ++size;
  for (; size > 1; --size) {
    const string_view name = text.substr(0, size);
    const auto* at = std::ranges::lower_bound(entities, name, {}, &Entity::name);
    if (at != std::end(entities) && at->name == name) return at;
  }
  return nullptr;
}

}  // namespace

void append_resolved(std::string& out, string_view text) {
  for (;;) {
    const std::size_t ampersand = text.find('&');
    out += text.substr(0, ampersand);
    if (ampersand == string_view::npos) return;
    text.remove_prefix(ampersand + 1);
    if (text.starts_with('#')) {
      const std::size_t used = append_number(out, text.substr(1));
      if (used == 0) out += '&';
      text.remove_prefix(used == 0 ? 0 : used + 1);
      continue;
    }
    const Entity* entity = longest_entity(text);
    // "?a=1&copy=2": a name without ';' is no reference where a parameter could be meant.
    if (entity != nullptr && !entity->name.ends_with(';') && text.size() > entity->name.size()) {
      const char next = text[entity->name.size()];
      if (next == '=' || is_alphanumeric(next)) entity = nullptr;
    }
    out += entity == nullptr ? "&" : entity->text;
    if (entity != nullptr) text.remove_prefix(entity->name.size());
  }
}

}  // namespace crunch::check
