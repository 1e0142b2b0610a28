// SPDX-License-Identifier: ISC
// kv/key.hpp: functions on keys that all stores use.
//
// States:  without_slash, take_segment, is_segment, is_normal, is_utf8, part_of.
//            Used by: the stores.   May include: kv/kv.hpp.

#pragma once

#include "kv/kv.hpp"

namespace kv {

// Law 1: one leading '/' is ignored.
[[nodiscard]] constexpr Key without_slash(Key key) {
  if (key.starts_with('/')) key.remove_prefix(1);
  return key;
}

// `key` up to its first '/', which is cut off with it.
constexpr Key take_segment(Key& key) {
  std::size_t end = key.find('/');
  Key segment = key.substr(0, end);
  key.remove_prefix(end == Key::npos ? key.size() : end + 1);
  return segment;
}

// One segment of a normal key. A NUL cannot be in one: no file system has it in a name.
[[nodiscard]] constexpr bool is_segment(Key name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == Key::npos &&
         name.find('\0') == Key::npos;
}

// Whether `key` is in the normal form of kv/kv.hpp. The root, "", is.
[[nodiscard]] constexpr bool is_normal(Key key) {
  if (key.ends_with('/')) return false;
  while (!key.empty()) {
    if (!is_segment(take_segment(key))) return false;
  }
  return true;
}

// Whether `text` is valid UTF-8 (RFC 3629): no overlong form, surrogate or value above U+10FFFF.
[[nodiscard]] constexpr bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || text.size() - i < length) return false;
    for (std::size_t j = 1; j < length; ++j) {
      auto next = static_cast<unsigned char>(text[i + j]);
      unsigned char least = j > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
      unsigned char most = j > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
      if (next < least || next > most) return false;
    }
    i += length;
  }
  return true;
}

// Law 6: bytes [offset, offset + length) of `whole`, cut at its end; no sum can overflow.
[[nodiscard]] constexpr Bytes part_of(Bytes whole, std::uint64_t offset, std::uint64_t length) {
  if (offset >= whole.size()) return {};
  std::uint64_t left = whole.size() - offset;
  return whole.subspan(static_cast<std::size_t>(offset),
                       static_cast<std::size_t>(length < left ? length : left));
}

}  // namespace kv
