// SPDX-License-Identifier: ISC
#include "http/ranges.hpp"

#include <algorithm>
#include <optional>

#include "http/syntax.hpp"

namespace http {

namespace {

using std::string_view;

struct Spec {
  bool is_satisfiable = false;
  Range range;
};

// "0-99", "100-", "-100" against a value of `size`; nothing where it is malformed.
std::optional<Spec> parse_spec(string_view text, std::uint64_t size) {
  std::size_t dash = text.find('-');
  if (dash == string_view::npos) return std::nullopt;
  string_view first_text = text.substr(0, dash), last_text = text.substr(dash + 1);
  auto first = parse_decimal(first_text), last = parse_decimal(last_text);
  if (first_text.empty()) {
    if (!last) return std::nullopt;
    std::uint64_t count = std::min(*last, size);
    return Spec{count > 0, {size - count, count}};
  }
  if (!first || (!last && !last_text.empty()) || (last && *last < *first)) return std::nullopt;
  if (*first >= size) return Spec{};
  std::uint64_t end = last && *last < size ? *last + 1 : size;
  return Spec{true, {*first, end - *first}};
}

bool overlap(const Range& a, const Range& b) {
  return a.offset < b.offset + b.size_bytes && b.offset < a.offset + a.size_bytes;
}

}  // namespace

Ranges parse_ranges(string_view value, std::uint64_t size_bytes, std::size_t count_max) noexcept {
  count_max = std::min(count_max, ranges_limit);
  Ranges ranges;
  constexpr string_view unit = "bytes=";
  if (value.size() < unit.size() || !equals_ignoring_case(value.substr(0, 5), "bytes") ||
      value[5] != '=') {
    return ranges;
  }
  value.remove_prefix(unit.size());
  std::size_t specs = 0;
  for (string_view element; next_element(value, element);) {
    auto spec = parse_spec(element, size_bytes);
    if (!spec || ++specs > count_max) return Ranges{};
    if (!spec->is_satisfiable) continue;
    for (std::size_t i = 0; i < ranges.count; ++i) {
      if (overlap(ranges.at[i], spec->range)) return Ranges{};
    }
    ranges.at[ranges.count++] = spec->range;
  }
  if (specs == 0) return Ranges{};
  ranges.kind = ranges.count > 0 ? Ranges::Kind::some : Ranges::Kind::unsatisfiable;
  return ranges;
}

}  // namespace http
