// SPDX-License-Identifier: ISC
// block/memory/memory.hpp: a device in memory: for tests, and for what lasts no longer than a run.
//
// Models:  block::BlockDevice.   Owns: the sectors.   Durable: nothing is; flush succeeds.

#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "block/block.hpp"

namespace block {

class Memory {
 public:
  // Sectors of zeros. `info` is_possible().
  explicit Memory(const Info& info) : info_(info) {
    CHECK(is_possible(info));
    bytes_.resize(info.size_bytes());
  }
  // A device that holds `bytes`, which are whole sectors.
  Memory(const Info& info, std::vector<std::byte> bytes) : info_(info), bytes_(std::move(bytes)) {
    CHECK(is_possible(info));
    CHECK(bytes_.size() == info.size_bytes());
  }

  [[nodiscard]] Info info() const noexcept { return info_; }

  [[nodiscard]] base::Ready<Result<void>> read(std::uint64_t sector, MutableBytes to) const {
    if (!is_in_range(info_, sector, to.size())) return {base::failure(Error::out_of_range)};
    std::copy_n(at(sector), to.size(), to.begin());
    return {{}};
  }
  [[nodiscard]] base::Ready<Result<void>> write(std::uint64_t sector, Bytes from) {
    if (info_.is_read_only) return {base::failure(Error::read_only)};
    if (!is_in_range(info_, sector, from.size())) return {base::failure(Error::out_of_range)};
    std::ranges::copy(from, bytes_.begin() + offset_of(sector));
    return {{}};
  }
  [[nodiscard]] static base::Ready<Result<void>> flush() { return {{}}; }

  // All of it, as a test looks at it or damages it.
  [[nodiscard]] std::vector<std::byte>& bytes() noexcept { return bytes_; }

 private:
  [[nodiscard]] std::ptrdiff_t offset_of(std::uint64_t sector) const noexcept {
    return static_cast<std::ptrdiff_t>(sector * info_.sector_bytes);
  }
  [[nodiscard]] std::vector<std::byte>::const_iterator at(std::uint64_t sector) const noexcept {
    return bytes_.begin() + offset_of(sector);
  }

  Info info_;
  std::vector<std::byte> bytes_;
};

static_assert(BlockDevice<Memory>);

}  // namespace block
