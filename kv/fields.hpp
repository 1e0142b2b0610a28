// SPDX-License-Identifier: ISC
// kv/fields.hpp: response fields that are stored beside a value, as text and split into names and
// values: one protocol sends the text, another encodes the pairs.
//
// States:      Fields, Head.   Made by: kv/field_pool.hpp.
// Layout:      a set of fields is { uint32_t text_bytes, line_count; Line[line_count]; text }, with
//              zeros up to a multiple of 4. The text has "Name: value\r\n" for each line. An offset
//              counts bytes from the start of all sets; at 0 stands the empty one.
// May include: base only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kv {

// One set of fields; borrows from the store.
class Fields {
 public:
  struct Line {
    std::uint16_t name_bytes;
    std::uint16_t value_bytes;
  };
  struct Start {
    std::uint32_t text_bytes;
    std::uint32_t line_count;
  };

  Fields() = default;
  // `at`: a set in the layout above, aligned to 4.
  explicit Fields(const std::byte* at) noexcept {
    const auto* start = reinterpret_cast<const Start*>(at);
    const auto* lines = reinterpret_cast<const Line*>(start + 1);
    lines_ = {lines, start->line_count};
    text_ = {reinterpret_cast<const char*>(lines + start->line_count), start->text_bytes};
  }

  // Whole lines, each with its CRLF.
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] std::size_t count() const noexcept { return lines_.size(); }

  // Calls `take(name, value)` for each field, in order.
  template <class Take>
  void for_each(Take&& take) const {
    const char* at = text_.data();
    for (const Line& line : lines_) {
      const char* value = at + line.name_bytes + 2;
      take(std::string_view(at, line.name_bytes), std::string_view(value, line.value_bytes));
      at = value + line.value_bytes + 2;
    }
  }

 private:
  std::span<const Line> lines_;
  std::string_view text_;
};

// The fields that describe one representation, in the parts at which answers differ. Names a set
// of `sets` by its offset; lives as long as the store.
struct Head {
  using Offset = std::uint32_t;
  const std::byte* sets = nullptr;  // null: none is stored, and the server makes it
  Offset validators = 0;            // what a 304 repeats; Last-Modified, if any, at the end
  Offset type = 0;                  // Content-Type
  Offset middle = 0;
  Offset length = 0;  // Content-Length
  Offset fields = 0;  // the site's own

  [[nodiscard]] bool is_stored() const noexcept { return sets != nullptr; }
  [[nodiscard]] Fields at(Offset offset) const noexcept { return Fields(sets + offset); }
};

}  // namespace kv
