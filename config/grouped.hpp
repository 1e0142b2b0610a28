// SPDX-License-Identifier: ISC
// config/grouped.hpp: names of keys for several devices of one kind.
//
// `grouped<"management", "ipv4">` is "management-ipv4"; with an empty group, "ipv4".
// `in_group<"management", key>` is the key with such a name.

#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "config/graph.hpp"

namespace config {

namespace detail {

template <Text group, Text name>
inline constexpr auto grouped_chars = [] {
  constexpr std::size_t before = group.view().size();
  std::array<char, before + 1 + name.view().size()> chars{};
  std::ranges::copy(group.view(), chars.begin());
  chars[before] = '-';
  std::ranges::copy(name.view(), chars.begin() + before + 1);
  return chars;
}();

}  // namespace detail

template <Text group, Text name>
inline constexpr std::string_view grouped{
    detail::grouped_chars<group, name>.data() + (group.view().empty() ? 1 : 0),
    detail::grouped_chars<group, name>.size() - (group.view().empty() ? 1 : 0)};

namespace detail {

template <const auto& key>
inline constexpr auto name_of = [] {
  std::array<char, key.name.size() + 1> chars{};
  std::ranges::copy(key.name, chars.begin());
  return Text<key.name.size() + 1>(chars);
}();

}  // namespace detail

template <Text group, const auto& key>
inline constexpr auto in_group = [] {
  auto named = key;
  named.name = grouped<group, detail::name_of<key>>;
  return named;
}();

}  // namespace config
