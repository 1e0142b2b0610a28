// SPDX-License-Identifier: ISC
// kv/key.hpp: what every store asks of a key, in one place.
//
// States:  without_slash, is_normal, Segments.   Used by: the stores.   May include: kv/kv.hpp.

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

// Law 6: bytes [offset, offset + length) of `whole`, cut at its end; no sum can overflow.
[[nodiscard]] constexpr Bytes part_of(Bytes whole, std::uint64_t offset, std::uint64_t length) {
  if (offset >= whole.size()) return {};
  std::uint64_t left = whole.size() - offset;
  return whole.subspan(static_cast<std::size_t>(offset),
                       static_cast<std::size_t>(length < left ? length : left));
}

}  // namespace kv
