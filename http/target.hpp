// SPDX-License-Identifier: ISC
// http/target.hpp: a request target made a key of a store (RFC 9112 section 3.2, RFC 3986).
//
// Why safe: a Key is put together here from whole segments, never cut out of what was received. A
//           segment is not empty, not "." or "..", and has no '/' and no NUL in it, however it was
//           written; so no target names anything outside a store, whatever the store does.
// Policy:   empty segments are left out ("//a///b" is "a/b"); ".." at the root stays there; dots
//           count when percent-encoded too; a segment with an encoded '/' names nothing, since no
//           key can; other bytes, UTF-8 or not, are the segment's own.
// May include: std, kv/kv.hpp.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

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
  std::string_view query;     // from '?' on, as received; empty if there is none
};

// `key` must be longer than the target; otherwise that is too long.
[[nodiscard]] Target parse_target(std::string_view target, std::span<char> key) noexcept;

}  // namespace http
