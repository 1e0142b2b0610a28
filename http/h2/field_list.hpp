// SPDX-License-Identifier: ISC
// http/h2/field_list.hpp: the head of an answer as names and values, for HPACK.
//
// States:      FieldList.   Models: HeadSink.   Used by: http/h2.
// Texts:       the store's are referred to; others are put together in a buffer of the caller's.
// May include: http's pure parts, kv/fields.hpp.

#pragma once

#include <span>
#include <string_view>

#include "http/head_sink.hpp"

namespace http::h2 {

struct NameValue {
  std::string_view name;  // in any case
  std::string_view value;
};

class FieldList final : public HeadSink {
 public:
  // Values that fit into the buffer, and so many fields, have room.
  static constexpr std::size_t fields_max = 128;
  static constexpr std::size_t buffer_bytes = std::size_t{24} * 1024;

  // `buffer` and `date` outlive the list.
  FieldList(std::span<char> buffer, std::string_view date) noexcept : texts_(buffer), date_(date) {}

  // There are more fields, or longer ones, than an answer may have.
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_ || texts_.overflowed(); }
  // The status first.
  [[nodiscard]] std::span<const NameValue> fields() const noexcept { return {fields_, count_}; }
  // Of Content-Type; empty if there is none.
  [[nodiscard]] std::string_view type() const noexcept { return type_; }

  void begin(Status status) override;
  void fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) override;
  void field(std::string_view name, std::string_view value) override;
  Writer& begin_value(std::string_view name) override;
  void end_value() override;

 private:
  void add(std::string_view name, std::string_view value) noexcept;
  [[nodiscard]] std::string_view keep(std::string_view text) noexcept;

  Writer texts_;
  std::string_view date_;
  std::string_view type_;
  std::string_view name_;        // of the value that is put together
  std::size_t value_begin_ = 0;  // in texts_
  std::size_t count_ = 0;
  bool overflowed_ = false;
  // The first `count_` are there. Not an array: all of it would be cleared for each answer.
  union {
    NameValue fields_[fields_max];
  };
};

}  // namespace http::h2
