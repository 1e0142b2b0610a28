// SPDX-License-Identifier: ISC
// block/torn/torn.hpp: a device that loses power, as badly as law 5 allows.
//
// Models:  block::BlockDevice.   Owns: what is durable, and every write since.
// States:  on -> (the power is lost during an operation that was chosen) -> off: every call is
//          unavailable -> power_on() -> on, with what survived.
// Loses:   each sector that was written since the last flush holds, afterwards and independently of
//          the others, its durable content, that of one of the writes, or a write's beginning and
//          the rest of what was there before. The write during which power is lost is one of them.
// Fails:   a flush that was told to fail brings nothing to the medium, and forgets what it should
//          have brought: reads give it, and no later flush makes it durable (law 6; Linux's page
//          cache does so).
// Choice:  what a sector holds is asked of a function, so that a test can try every outcome
//          (choose(n) gives a number below n), or draw them from a seed.
// Used by: tests of what is stored on disks.

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "block/block.hpp"

namespace block {

class Torn {
 public:
  using Choose = std::function<std::uint64_t(std::uint64_t count)>;

  // Sectors of zeros. A torn sector is cut at a multiple of `cut_step_bytes`, which is at most a
  // sector; one sector as a step: none is torn.
  explicit Torn(const Info& info, std::uint32_t cut_step_bytes = 1);

  [[nodiscard]] Info info() const noexcept { return info_; }
  [[nodiscard]] base::Ready<Result<void>> read(std::uint64_t sector, MutableBytes to) const;
  [[nodiscard]] base::Ready<Result<void>> write(std::uint64_t sector, Bytes from);
  [[nodiscard]] base::Ready<Result<void>> flush();

  // Power is lost during the write or flush that is `operations` after the next: 0 is the next.
  void lose_power_after(std::uint64_t operations) noexcept { operations_left_ = operations; }
  // At once.
  void lose_power() noexcept { is_on_ = false; }
  // The write or flush that is `operations` after the next fails, and the device works on.
  void fail_after(std::uint64_t operations) noexcept { failure_left_ = operations; }
  // Decides what survived. Does nothing but that when the power is on.
  void power_on(const Choose& choose);
  // Nothing of what was not flushed survived.
  void power_on() {
    power_on([](std::uint64_t) { return 0; });
  }
  [[nodiscard]] bool is_on() const noexcept { return is_on_; }

  // Writes and flushes that were begun while the power was on.
  [[nodiscard]] std::uint64_t operation_count() const noexcept { return operation_count_; }
  // What would survive, if nothing else did.
  [[nodiscard]] const std::vector<std::byte>& durable() const noexcept { return durable_; }

 private:
  using Sector = std::vector<std::byte>;

  // Counts an operation; false: power is lost during it, or was before.
  [[nodiscard]] bool begin_operation() noexcept;
  // Whether the operation that has begun is the one that fails.
  [[nodiscard]] bool is_failing() noexcept;
  [[nodiscard]] std::byte* durable_at(std::uint64_t sector) noexcept;
  [[nodiscard]] Sector survivor(std::uint64_t sector, const std::vector<Sector>& writes,
                                const Choose& choose);

  Info info_;
  std::uint32_t cut_step_bytes_;
  bool is_on_ = true;
  std::optional<std::uint64_t> operations_left_;
  std::optional<std::uint64_t> failure_left_;
  std::uint64_t operation_count_ = 0;
  std::vector<std::byte> durable_;
  // What was written to each sector since it was last made durable, oldest first.
  std::map<std::uint64_t, std::vector<Sector>> written_;
  // Those of them that no flush makes durable, unless they are written again.
  std::set<std::uint64_t> forgotten_;
};

static_assert(BlockDevice<Torn>);

}  // namespace block
