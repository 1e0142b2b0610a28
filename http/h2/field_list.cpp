// SPDX-License-Identifier: ISC
#include "http/h2/field_list.hpp"

#include <memory>

#include "http/head.hpp"

namespace http::h2 {

void FieldList::begin(Status status) {
  count_ = 0;
  texts_.rewind(0);
  overflowed_ = false;
  type_ = {};
  add(":status", words_of(status).substr(0, 3));
  add("date", date_);
}

void FieldList::fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) {
  for (const kv::Head::Offset set : sets) {
    head.at(set).for_each(
        [this](std::string_view name, std::string_view value) { add(name, value); });
  }
}

void FieldList::field(std::string_view name, std::string_view value) {
  begin_value(name).text(value);
  end_value();
}

Writer& FieldList::begin_value(std::string_view name) {
  name_ = keep(name);
  value_begin_ = texts_.size();
  return texts_;
}

void FieldList::end_value() { add(name_, texts_.written().substr(value_begin_)); }

std::string_view FieldList::keep(std::string_view text) noexcept {
  const std::size_t begin = texts_.size();
  texts_.text(text);
  return texts_.written().substr(begin);
}

void FieldList::add(std::string_view name, std::string_view value) noexcept {
  if (count_ == fields_max) {
    overflowed_ = true;
    return;
  }
  if (name == content_type_name) type_ = value;
  std::construct_at(&fields_[count_++], NameValue{name, value});
}

}  // namespace http::h2
