// SPDX-License-Identifier: ISC
// base/bytes.hpp: bytes as they are passed around: borrowed spans, never owned here.
//
// May include: std.

#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace base {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// The same memory seen as the other type; nothing is copied.
[[nodiscard]] inline Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
[[nodiscard]] inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace base
