// SPDX-License-Identifier: ISC
// kv/flat.hpp: dictionaries that are only prefixes of the keys of a sorted map, as most stores have
// them.
//
// States:  kind_in, entries_in.   Used by: kv/memory, kv/vault, kv/tar.
// Map:     sorted by bytes, from texts that are normal keys, none below another; it is searched by
//          Key (std::less<>).

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kv/key.hpp"
#include "kv/kv.hpp"

namespace kv {

// What `key` names; none: nothing.
template <class Map>
[[nodiscard]] std::optional<Kind> kind_in(const Map& map, Key key) {
  if (key.empty()) return Kind::dictionary;
  if (map.contains(key)) return Kind::value;
  const std::string prefix = std::string(key) + '/';
  const auto at = map.lower_bound(prefix);
  if (at != map.end() && at->first.starts_with(prefix)) return Kind::dictionary;
  return std::nullopt;
}

// A dictionary's names, sorted; of a value, or of nothing, an error.
template <class Map>
[[nodiscard]] Result<std::vector<Entry>> entries_in(const Map& map, Key key) {
  const std::optional<Kind> kind = kind_in(map, key);
  if (!kind) return base::failure(Error::not_found);
  if (*kind == Kind::value) return base::failure(Error::dictionary_expected);
  const std::string prefix = key.empty() ? "" : std::string(key) + '/';
  std::map<std::string, Kind> names;
  for (auto at = map.lower_bound(prefix); at != map.end() && at->first.starts_with(prefix); ++at) {
    Key rest = Key(at->first).substr(prefix.size());
    const Key name = take_segment(rest);
    names.emplace(name, rest.empty() ? Kind::value : Kind::dictionary);
  }
  std::vector<Entry> entries;
  for (const auto& [name, entry_kind] : names) entries.push_back({name, entry_kind});
  return entries;
}

}  // namespace kv
