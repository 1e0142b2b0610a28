// SPDX-License-Identifier: ISC
// http/h2/urgency.hpp: what goes first where a client does not say (RFC 9218): by type, what a page
// cannot be shown without before what fills it.
//
// May include: std.

#pragma once

#include <cstdint>
#include <string_view>

namespace http::h2 {

struct Urgency {
  std::uint8_t level = 3;    // 0 goes first, 7 last
  bool incremental = false;  // shares with others of its level
};

// `type`: a media type, with its parameters.
[[nodiscard]] constexpr Urgency urgency_of(std::string_view type) {
  if (type.starts_with("text/html")) return {1, false};
  if (type.starts_with("text/css")) return {2, false};
  if (type.starts_with("font/")) return {2, false};
  if (type.starts_with("text/javascript") || type.starts_with("application/javascript")) {
    return {3, false};
  }
  if (type.starts_with("image/")) return {5, true};
  if (type.starts_with("video/") || type.starts_with("audio/")) return {6, true};
  return {4, true};
}

}  // namespace http::h2
