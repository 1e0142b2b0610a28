// SPDX-License-Identifier: ISC
// http/authority.hpp: the host and port that a request names.
//
// Source:      RFC 3986 section 3.2, RFC 9110 section 7.2.
// May include: std, http/syntax.

#pragma once

#include <optional>
#include <string_view>

namespace http {

struct Authority {
  std::string_view host;  // as received; an IPv6 address keeps its brackets; empty only if all is
  std::string_view port;  // digits; may be empty
};

// Reads `host [":" port]`, the value of a Host field. Nothing: it is malformed. User information
// is malformed here (RFC 9110 section 4.2.4); an empty text is well-formed, but a port without a
// host names nothing (section 4.2.1).
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text) noexcept;

}  // namespace http
