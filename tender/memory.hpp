// SPDX-License-Identifier: ISC
// tender/memory.hpp: a guest's memory, as what serves it may touch it.
//
// States:  GuestMemory.   Owns: the list of what may not be written; the memory is the caller's.
// Rule:    every address and length comes from the guest: nothing here is reached but through
//          these checks, and a structure is copied before anything in it is looked at.

#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/bytes.hpp"

namespace tender {

class GuestMemory {
 public:
  explicit GuestMemory(base::MutableBytes all) : all_(all) {}

  // From now on, [begin, end) is no place for answers.
  void forbid_writing(std::uint64_t begin, std::uint64_t end) {
    read_only_.push_back({begin, end});
  }

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return all_.size(); }

  // Nothing, unless all of it is in memory.
  [[nodiscard]] std::optional<base::Bytes> readable(std::uint64_t address,
                                                    std::uint64_t bytes) const noexcept {
    if (address >= all_.size() || bytes > all_.size() - address) return std::nullopt;
    return all_.subspan(address, bytes);
  }
  [[nodiscard]] std::optional<base::MutableBytes> writable(std::uint64_t address,
                                                           std::uint64_t bytes) const noexcept {
    if (address >= all_.size() || bytes > all_.size() - address) return std::nullopt;
    for (const Range& range : read_only_) {
      if (address < range.end && range.begin < address + bytes) return std::nullopt;
    }
    return all_.subspan(address, bytes);
  }

  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::optional<T> copy_in(std::uint64_t address) const noexcept {
    const auto from = readable(address, sizeof(T));
    if (!from) return std::nullopt;
    T out;
    std::memcpy(&out, from->data(), sizeof out);
    return out;
  }
  // False: it may not be written there.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] bool copy_out(std::uint64_t address, const T& value) const noexcept {
    const auto to = writable(address, sizeof(T));
    if (to) std::memcpy(to->data(), &value, sizeof value);
    return to.has_value();
  }

 private:
  struct Range {
    std::uint64_t begin, end;
  };
  base::MutableBytes all_;
  std::vector<Range> read_only_;
};

}  // namespace tender
