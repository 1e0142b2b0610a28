// SPDX-License-Identifier: ISC
// kv/directory/recent.hpp: a map that evicts roughly the least recently used entry.
//
// Invariant: at most `count_max` entries, in two generations: when the younger is half of that, the
//            older is dropped and the younger becomes the older. An entry that is found in the
//            older one moves to the younger, so what is used stays.

#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

namespace kv {

template <class Name, class T, class Hash = std::hash<Name>>
class Recent {
 public:
  explicit Recent(std::size_t count_max) : generation_max_(count_max / 2) {}

  void put(const Name& name, const T& value) {
    older_.erase(name);
    if (younger_.size() >= generation_max_ && !younger_.contains(name)) {
      older_ = std::exchange(younger_, {});
    }
    younger_.insert_or_assign(name, value);
  }

  [[nodiscard]] std::optional<T> find(const Name& name) {
    if (auto at = younger_.find(name); at != younger_.end()) return at->second;
    auto at = older_.find(name);
    if (at == older_.end()) return std::nullopt;
    T value = at->second;
    put(name, value);
    return value;
  }

  [[nodiscard]] std::size_t count() const noexcept { return younger_.size() + older_.size(); }

 private:
  const std::size_t generation_max_;
  std::unordered_map<Name, T, Hash> younger_;
  std::unordered_map<Name, T, Hash> older_;
};

}  // namespace kv
