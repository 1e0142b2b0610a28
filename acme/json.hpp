// SPDX-License-Identifier: ISC
// acme/json.hpp: JSON as a CA sends it, and texts as JSON.
//
// States:  Json, parse_json, json_text.   Source: RFC 8259.
// Limits:  json_bytes_max, json_depth_max, json_values_max; more than that is no JSON here.
// Not:     numbers beyond their digits: nothing of ACME's is calculated with. The library of the
//          tool (nlohmann's) needs locales and streams, which images do not have.
// May include: std only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace acme {

inline constexpr std::size_t json_bytes_max = std::size_t{256} * 1024;
inline constexpr std::size_t json_depth_max = 16;
inline constexpr std::size_t json_values_max = 4096;

struct Json {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  std::string name{};  // of a member of an object
  std::string text{};  // a string in UTF-8; a number or a boolean as it was written
  std::vector<Json> values{};

  // The first member with this name; a null if there is none, or this is no object.
  [[nodiscard]] const Json& operator[](std::string_view member) const noexcept;
  // A string's text; empty for what is no string.
  [[nodiscard]] std::string_view string() const noexcept;
};

// Nothing: it is not JSON, or beyond the limits. Throws only std::bad_alloc.
[[nodiscard]] std::optional<Json> parse_json(std::string_view text);

// With quotes. `text` is UTF-8.
[[nodiscard]] std::string json_text(std::string_view text);

}  // namespace acme
