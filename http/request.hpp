// SPDX-License-Identifier: ISC
// http/request.hpp: a request's head, taken apart; every text is a view into the bytes received.
//
// Made by: http/parser.   May include: std, http/syntax.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace http {

enum class Method : std::uint8_t {
  get,
  head,
  options,
  refused,  // one that we know and do not allow here: 405
  unknown,  // 501
};

// Methods are in capitals (RFC 9110 section 9.1).
[[nodiscard]] Method method_of(std::string_view name) noexcept;

// The fields that change what is answered, or are logged.
enum class Field : std::uint8_t {
  accept_encoding,
  accept_language,
  connection,
  content_length,
  cookie,
  expect,
  host,
  if_match,
  if_modified_since,
  if_none_match,
  if_range,
  if_unmodified_since,
  range,
  referer,
  transfer_encoding,
  user_agent,
  other,
};
inline constexpr std::size_t field_count = static_cast<std::size_t>(Field::other);

inline constexpr std::size_t field_name_bytes_max = 19;  // "if-unmodified-since"

// Any case. `name` is a token.
[[nodiscard]] Field field_of(std::string_view name) noexcept;

enum class BodyFraming : std::uint8_t { none, sized, chunked };

struct Request {
  std::string_view head;  // from the method to the empty line, which is part of it
  std::string_view method_text;
  std::string_view target;
  std::uint64_t content_length = 0;  // of a sized body
  Method method = Method::unknown;
  BodyFraming body = BodyFraming::none;
  bool is_http_1_0 = false;
  bool keep_alive = false;
  bool expects_continue = false;
  bool expects_more = false;  // an expectation that cannot be met: 417

  std::uint16_t present = 0;                         // bit i: Field i is there
  std::uint16_t repeated = 0;                        // bit i: in more than one line
  std::array<std::string_view, field_count> values;  // of the first line; defined where present

  [[nodiscard]] static constexpr std::uint16_t bit(Field field) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(field));
  }
  [[nodiscard]] bool has(Field field) const { return (present & bit(field)) != 0; }
  [[nodiscard]] bool repeats(Field field) const { return (repeated & bit(field)) != 0; }
  // The first line's value; empty if there is none.
  [[nodiscard]] std::string_view value(Field field) const {
    return has(field) ? values[static_cast<std::size_t>(field)] : std::string_view{};
  }
  // The value of the first line of another field, which is looked for; `name` is in small letters.
  [[nodiscard]] std::string_view line(std::string_view name) const noexcept;
};

// All lines of one field, in order: a list may be spread over several (RFC 9110 section 5.3).
class FieldLines {
 public:
  FieldLines(const Request& request, Field field) noexcept : field_(field) {
    if (request.repeats(field)) {
      rest_ = request.head;
    } else if (request.has(field)) {
      only_ = request.value(field);
      has_only_ = true;
    }
  }
  // False: there are no more.
  [[nodiscard]] bool next(std::string_view& value) noexcept {
    if (!has_only_) return !rest_.empty() && next_in_head(value);
    has_only_ = false;
    value = only_;
    return true;
  }

 private:
  [[nodiscard]] bool next_in_head(std::string_view& value) noexcept;

  Field field_;
  bool has_only_ = false;
  std::string_view only_;
  std::string_view rest_;  // of the head, when lines have to be looked for
};

}  // namespace http
