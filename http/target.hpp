// SPDX-License-Identifier: ISC
// http/target.hpp: a request target made a key of a store (RFC 9112 section 3.2, RFC 3986).
//
// Why safe: a Key is put together here from whole segments, never cut out of what was received. A
//           segment is not empty, not "." or "..", and has no '/' and no NUL in it, however it was
//           written; so no target names anything outside a store, whatever the store does.
// Policy:   empty segments are left out ("//a///b" is "a/b"); ".." at the root stays there; dots
//           count when percent-encoded too; a segment with an encoded '/' names nothing, since no
//           key can; other bytes, UTF-8 or not, are the segment's own.
// May include: std, kv/kv.hpp, http/authority.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/authority.hpp"
#include "kv/kv.hpp"

namespace http {

enum class TargetError : std::uint8_t {
  none,
  malformed,  // 400: not a target, or one that is not for a server like this
  nothing,    // 404: well-formed, but no key can be written so
  too_long,   // 414: longer than the buffer
};

struct Target {
  TargetError error = TargetError::none;
  bool is_asterisk = false;   // "*", for OPTIONS
  bool is_directory = false;  // ended in '/', or in a dot segment, or is the root
  kv::Key key;                // in the caller's buffer
  // As received:
  std::optional<Authority> authority;  // of an absolute form; in place of Host (section 3.2.2)
  std::string_view path;               // empty only in an absolute form
  std::string_view query;              // from '?' on; empty if there is none
};

// Does the byte stand for itself in the path that leads to a key?
[[nodiscard]] constexpr bool is_plain_in_path(char c) {
  constexpr std::string_view others = "-._~!$&'()*+,;=:@/";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}
// The size of a key when the other bytes are percent-encoded.
[[nodiscard]] constexpr std::size_t percent_encoded_bytes(kv::Key key) {
  std::size_t bytes = 0;
  for (char c : key) bytes += is_plain_in_path(c) ? 1 : 3;
  return bytes;
}

// `key` must be longer than the target; otherwise that is too long.
[[nodiscard]] Target parse_target(std::string_view target, std::span<char> key) noexcept;

}  // namespace http
