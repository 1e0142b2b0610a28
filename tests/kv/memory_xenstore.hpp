// SPDX-License-Identifier: ISC
// tests/kv/memory_xenstore.hpp: clients of a xenstore that is a map: an honest one, at hand and
// waiting, and one that says whatever a test puts into its mouth.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "kv/xenstore/xenstore.hpp"

namespace kv {

class MemoryXenstore {
 public:
  enum class Error { not_found, refused };
  template <class T>
  using Answer = base::Result<T, Error>;

  // As xenstored: a write makes the nodes above it, empty.
  void write(const std::string& path, std::string value) {
    for (std::size_t end = path.find('/'); end != std::string::npos;
         end = path.find('/', end + 1)) {
      nodes_.try_emplace(path.substr(0, end));
    }
    nodes_[path] = std::move(value);
  }

  base::Ready<Answer<std::string>> read(std::string_view path) {
    ++requests;
    if (!is_valid(path)) return {base::failure(Error::refused)};
    auto at = nodes_.find(path);
    if (at == nodes_.end()) return {base::failure(Error::not_found)};
    return {at->second};
  }

  base::Ready<Answer<std::vector<std::string>>> directory(std::string_view path) {
    ++requests;
    if (!is_valid(path)) return {base::failure(Error::refused)};
    if (!nodes_.contains(path)) return {base::failure(Error::not_found)};
    std::vector<std::string> names;
    // From the last to the first: xenstore promises no order.
    const std::string prefix = std::string(path) + '/';
    for (auto at = nodes_.rbegin(); at != nodes_.rend(); ++at) {
      if (!at->first.starts_with(prefix)) continue;
      std::string name = at->first.substr(prefix.size());
      if (name.find('/') == std::string::npos) names.push_back(std::move(name));
    }
    return {std::move(names)};
  }

  int requests = 0;

 private:
  // What xenstored refuses with EINVAL. A store that asks for such a path has not looked at it.
  static bool is_valid(std::string_view path) {
    while (!path.empty()) {
      if (!is_xenstore_name(take_segment(path))) return false;
    }
    return true;
  }
  std::map<std::string, std::string, std::less<>> nodes_;
};

static_assert(XenstoreTransport<MemoryXenstore>);

// The same, but each answer comes a moment later.
class WaitingXenstore {
 public:
  using Error = MemoryXenstore::Error;
  WaitingXenstore(base::Loop& loop, MemoryXenstore& below) : loop_(loop), below_(below) {}

  base::Task<MemoryXenstore::Answer<std::string>> read(std::string_view path) {
    co_await loop_.sleep_for(std::chrono::microseconds(1));
    co_return base::run_now(below_.read(path));
  }
  base::Task<MemoryXenstore::Answer<std::vector<std::string>>> directory(std::string_view path) {
    co_await loop_.sleep_for(std::chrono::microseconds(1));
    co_return base::run_now(below_.directory(path));
  }

 private:
  base::Loop& loop_;
  MemoryXenstore& below_;
};

static_assert(XenstoreTransport<WaitingXenstore>);

}  // namespace kv
