// SPDX-License-Identifier: ISC
// targets/hvt/blk.hpp: a block device of the manifest: a hypercall for each read and write.
//
// Models:  block::BlockDevice.   Owns: nothing.
// Blocks:  as long as the tender takes; nothing is awaited.
// Durable: the ABI has no flush. A tender that says so (solo5::block_is_durable; ours does) brings
//          each write to the disk before it answers: there flush has nothing to do. Any other keeps
//          writes in its host's cache as long as it likes: they survive the end of the guest and of
//          the tender, not a loss of power, and flush cannot help (is_durable; Blks warns).
// Trust:   what the tender says of the device is checked; of its answers only `ok` is one.
// Source:  Solo5's hvt_abi.h; its tender reads and writes what it is told in one call, others
//          may take one block at a time: who refuses more is asked so from then on.

#pragma once

#include <cstdint>
#include <functional>

#include "block/block.hpp"
#include "solo5/abi.hpp"

namespace hvt_target {

class Blk {
 public:
  static constexpr std::uint32_t request_bytes_max = 1U << 20U;

  // Asks the tender: Call::block_read or block_write.
  using Ask = std::function<void(solo5::Call, solo5::BlockTransfer&)>;

  // Throws std::runtime_error, a sentence, if the device will not do.
  Blk(std::uint64_t handle, const solo5::BlockDetails& details, Ask ask);
  Blk(const Blk&) = delete;
  Blk& operator=(const Blk&) = delete;

  [[nodiscard]] block::Info info() const noexcept { return info_; }
  [[nodiscard]] base::Ready<block::Result<void>> read(std::uint64_t sector, base::MutableBytes to);
  [[nodiscard]] base::Ready<block::Result<void>> write(std::uint64_t sector, base::Bytes from);
  [[nodiscard]] base::Ready<block::Result<void>> flush() const;

  [[nodiscard]] bool is_durable() const noexcept { return is_durable_; }

 private:
  [[nodiscard]] block::Result<void> transfer(solo5::Call number, std::uint64_t sector,
                                             std::uint64_t data, std::uint64_t bytes);

  std::uint64_t handle_;
  Ask ask_;
  block::Info info_;
  bool is_durable_;
  std::uint32_t request_bytes_;
};

static_assert(block::BlockDevice<Blk>);

}  // namespace hvt_target
