// SPDX-License-Identifier: ISC
// http/ranges.hpp: the Range field (RFC 9110 section 14.1.2).
//
// Policy:  another unit than bytes, a malformed set, more ranges than the maximum, or ranges that
//          overlap: the field is ignored and the whole is sent, as section 14.2 allows. Ranges
//          stand in the answer in the order in which they were asked for.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/options.hpp"

namespace http {

// Bytes [offset, offset + size_bytes), not empty.
struct Range {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

struct Ranges {
  enum class Kind : std::uint8_t { whole, some, unsatisfiable };
  Kind kind = Kind::whole;
  std::uint8_t count = 0;  // of `some`; at least 1
  std::array<Range, ranges_limit> at{};
};

[[nodiscard]] Ranges parse_ranges(std::string_view value, std::uint64_t size_bytes,
                                  std::size_t count_max) noexcept;

}  // namespace http
