// SPDX-License-Identifier: ISC
// base/wipe.hpp: secrets leave no copy in memory.
//
// States:  wipe, SecretBytes.   May include: std.
// Source:  explicit_bzero(3), which no compiler removes.

#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "base/bytes.hpp"

namespace base {

inline void wipe(MutableBytes bytes) noexcept {
  if (bytes.data() != nullptr) ::explicit_bzero(bytes.data(), bytes.size());
}

// Bytes of a fixed count, wiped with their owner.
class SecretBytes {
 public:
  SecretBytes() noexcept = default;
  // Null where there is no memory: `has_memory()` tells.
  explicit SecretBytes(std::size_t count)
      : bytes_(new (std::nothrow) std::byte[count]()), count_(bytes_ == nullptr ? 0 : count) {}
  SecretBytes(SecretBytes&& other) noexcept
      : bytes_(std::move(other.bytes_)), count_(std::exchange(other.count_, 0)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~SecretBytes() { wipe(all()); }

  [[nodiscard]] bool has_memory() const noexcept { return bytes_ != nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] MutableBytes all() noexcept { return {bytes_.get(), count_}; }
  [[nodiscard]] Bytes all() const noexcept { return {bytes_.get(), count_}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t count_ = 0;
};

}  // namespace base
