// SPDX-License-Identifier: ISC
// block/block.hpp: what it means to be a disk: numbered sectors that are read and written whole.
//
// States:  BlockDevice, KeepsCopies, Info, Error.
// Modelled by: block/memory, block/torn (for tests), block/file, targets/virtio, targets/hvt,
// targets/xen.
// Used by: kv/vault, kv/tar.   May include: base only.
// Source:  the shape follows MirageOS's Mirage_block.S; `flush` and what is durable are ours.

#pragma once

#include <concepts>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace block {

using base::Bytes;
using base::MutableBytes;

// Why a call did not do what it was asked.
enum class Error : std::uint8_t {
  out_of_range,  // past the end of the device, or not whole sectors: nothing was done
  read_only,     // a write to a device that takes none: nothing was done
  unavailable,   // the medium failed; the same call may work later
};

template <class T>
using Result = base::Result<T, Error>;

struct Info {
  std::uint32_t sector_bytes = 512;
  std::uint64_t sector_count = 0;
  bool is_read_only = false;

  [[nodiscard]] constexpr std::uint64_t size_bytes() const noexcept {
    return sector_bytes * sector_count;
  }
  friend constexpr bool operator==(const Info&, const Info&) = default;
};

inline constexpr std::uint32_t sector_bytes_min = 512;
inline constexpr std::uint32_t sector_bytes_max = 65'536;

// Whether `info` can be a device's (law 1).
[[nodiscard]] constexpr bool is_possible(const Info& info) noexcept {
  const std::uint32_t bytes = info.sector_bytes;
  return bytes >= sector_bytes_min && bytes <= sector_bytes_max && (bytes & (bytes - 1)) == 0 &&
         info.sector_count > 0 && info.sector_count <= ~std::uint64_t{0} / bytes;
}

// Whether `bytes` from `sector` on are whole sectors of the device (law 2).
[[nodiscard]] constexpr bool is_in_range(const Info& info, std::uint64_t sector,
                                         std::uint64_t bytes) noexcept {
  return bytes % info.sector_bytes == 0 && sector <= info.sector_count &&
         bytes / info.sector_bytes <= info.sector_count - sector;
}

// A device.
//
// Laws (tests/block/laws.hpp, run on every model; those of power loss on block/torn):
//   1. info() never changes. sector_bytes is a power of two from 512 to 65,536; there is at least
//      one sector, and the device's size in bytes fits 64 bits.
//   2. read and write take any number of whole sectors, also none; a range that is not in the
//      device, or not of whole sectors, is out_of_range, and nothing is read or written.
//   3. A read that succeeds gives, for each sector, what the last successful write to it wrote;
//      what a sector holds that was never written is unknown, and stays the same.
//   4. A write that fails or is abandoned may have written some of its sectors, and others not.
//   5. A write is durable when a flush that began after its success has succeeded: it survives a
//      loss of power. Without that each sector may hold, after a loss of power, what any write
//      since the last durable one wrote, or a beginning of one and the rest of the one before.
//      Writes become durable in any order.
//   6. A flush that fails says nothing about the writes before it, nor does a later one that
//      succeeds: who needs them writes them again.
//   7. On a read-only device write is read_only, also out of range, and flush succeeds.
//   8. Several calls may be under way at once; calls to the same sectors have no order among them.
//      A call that is abandoned (its coroutine is destroyed) touches its bytes no more. The device
//      outlives every call.
template <class D>
concept BlockDevice = requires(D& device, const D& fixed, std::uint64_t sector, MutableBytes to,
                               Bytes from) {
  { fixed.info() } -> std::convertible_to<Info>;
  { device.read(sector, to) } -> base::AwaitableOf<Result<void>>;
  { device.write(sector, from) } -> base::AwaitableOf<Result<void>>;
  { device.flush() } -> base::AwaitableOf<Result<void>>;
};

// A driver that moves data through memory of its own, and can wipe what is left there of calls that
// have ended. Whoever has read or written a secret asks for it.
template <class D>
concept KeepsCopies = requires(D& device) {
  { device.wipe_copies() }
  noexcept;
};

}  // namespace block
