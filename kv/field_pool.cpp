// SPDX-License-Identifier: ISC
#include "kv/field_pool.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>

namespace kv {

namespace {

constexpr std::size_t aligned(std::size_t size) {
  constexpr std::size_t alignment = alignof(Fields::Start);
  return (size + alignment - 1) / alignment * alignment;
}

std::uint16_t length_of(const std::string& text) {
  if (text.size() > std::numeric_limits<std::uint16_t>::max()) {
    throw std::length_error("a response field takes more than 65,535 bytes");
  }
  return static_cast<std::uint16_t>(text.size());
}

}  // namespace

Head::Offset FieldPool::add(const OwnedFields& fields) {
  if (fields.empty()) return 0;
  std::vector<Fields::Line> lines;
  std::string text;
  for (const auto& [name, value] : fields) {
    lines.push_back({length_of(name), length_of(value)});
    text.append(name).append(": ").append(value).append("\r\n");
  }
  const auto line_bytes = std::as_bytes(std::span(lines));
  const std::size_t size = sizeof(Fields::Start) + line_bytes.size() + text.size();
  if (size > std::numeric_limits<Head::Offset>::max() - bytes_.size()) {
    throw std::length_error("response fields take more than 4 GiB");
  }
  const auto set = static_cast<Head::Offset>(bytes_.size());
  const Fields::Start start{static_cast<std::uint32_t>(text.size()),
                            static_cast<std::uint32_t>(lines.size())};
  auto append = [this](base::Bytes part) { bytes_.insert(bytes_.end(), part.begin(), part.end()); };
  append(std::as_bytes(std::span(&start, 1)));
  append(line_bytes);
  append(base::bytes_of(text));
  bytes_.resize(aligned(bytes_.size()));
  const auto [at, is_new] = known_.insert(set);
  if (!is_new) bytes_.resize(set);
  return *at;
}

std::size_t FieldPool::ByContent::operator()(Head::Offset set) const noexcept {
  return std::hash<std::string_view>()(base::text_of(pool->set_at(set)));
}

bool FieldPool::ByContent::operator()(Head::Offset one, Head::Offset other) const noexcept {
  return std::ranges::equal(pool->set_at(one), pool->set_at(other));
}

base::Bytes FieldPool::set_at(Head::Offset offset) const noexcept {
  const Fields set(bytes_.data() + offset);
  const std::size_t size =
      sizeof(Fields::Start) + set.count() * sizeof(Fields::Line) + set.text().size();
  return bytes().subspan(offset, aligned(size));
}

Head FieldPool::add(const HeadFields& fields) {
  Head head;
  head.validators = add(fields.validators);
  head.type = add(fields.type);
  head.middle = add(fields.middle);
  head.length = add(fields.length);
  head.fields = add(fields.fields);
  return head;
}

}  // namespace kv
