// SPDX-License-Identifier: ISC
// kv/vault/format.hpp: a vault's bytes on a block device, and which of its units are free.
//
// States:  Geometry, Extent, Item, Index, SlotState, read_slot, Space.
//            Used by: kv/vault/vault.hpp, the fuzzer.   May include: base, kv, block/block.hpp.
//
// The format, version 01. All numbers are little-endian.
//
//   byte 0       slot A    16 KiB   two copies of the index. Each is whole by itself: a header, the
//   byte 16,384  slot B    16 KiB   items, and a SHA-256 of both
//   byte 32,768  units     values: unit_count units of unit_bytes
//
//   Header, 80 bytes: char magic[16] "crunch vault 01\n"; u32 unit_bytes (512, or 4,096 on devices
//   of 1 MiB or more), unit_count, item_count, item_bytes (all items together); u64 generation, u64
//   0; u8 sha256[32] of the header before it and of the items.
//   Item: u16 key_bytes, u16 extent_count, u32 size_bytes, i64 modified_s, u8 sha256[32] of the
//   value; the key; extent_count times {u32 first unit, u32 units}. Items are sorted by key.
//
// A change is copy-on-write; each line is durable before the next begins (kv/vault/vault.hpp):
//   1. slots A and B hold the same index, of generation g
//   2. the new value is written to free units
//   3. slot A is written, with generation g + 1: from here on the change is made
//   4. slot B is written, with the same; then the units of the old value are overwritten with zeros
//
// Power can be lost anywhere. In 2 both slots still have g, and what was written is in free units.
// In 3 slot A is g, g + 1 or, torn, neither; B is g. In 4 slot A is g + 1. So one slot at least is
// whole, and the whole one of the later generation is right. Whoever starts copies it to the other
// one before the next change. That also mends a slot that the medium has damaged.
//
// A write or a flush can fail while the power stays on; then what was written may be read, from a
// cache, and never reach the medium. The slot that was written last may be such a one, also after a
// new start, which cannot know. So it is written again before the other one is touched: the other
// one is durable.
//
// Wear: a change writes its value once, to the units after those that were written last, each slot
// once, and zeros over the old value.

#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "block/block.hpp"
#include "kv/digest.hpp"
#include "kv/rw.hpp"

namespace kv::vault {

inline constexpr std::uint32_t slot_bytes = 16'384;
inline constexpr std::uint32_t slots_bytes = 2 * slot_bytes;
inline constexpr std::uint32_t header_bytes = 80;
inline constexpr std::uint64_t device_bytes_min = 65'536;
// The rest of a larger device is left alone.
inline constexpr std::uint64_t used_bytes_max = std::uint64_t{256} << 20U;
inline constexpr std::uint32_t sector_bytes_max = 4096;

struct Geometry {
  std::uint32_t unit_bytes = 0;
  std::uint32_t unit_count = 0;

  [[nodiscard]] constexpr std::uint64_t offset_of(std::uint32_t unit) const noexcept {
    return slots_bytes + std::uint64_t{unit} * unit_bytes;
  }
  [[nodiscard]] constexpr std::uint32_t units_for(std::uint64_t bytes) const noexcept {
    return static_cast<std::uint32_t>((bytes + unit_bytes - 1) / unit_bytes);
  }
  friend constexpr bool operator==(const Geometry&, const Geometry&) = default;
};

// Of a new vault on the device. None: it is too small, or its sectors are too large.
[[nodiscard]] std::optional<Geometry> geometry_for(const block::Info& info);

struct Extent {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  friend constexpr bool operator==(const Extent&, const Extent&) = default;
};
using Extents = std::vector<Extent>;

struct Item {
  std::uint32_t size_bytes = 0;
  std::int64_t modified_s = 0;
  crypto::Sha256Bytes sha256{};
  Extents extents;
  friend bool operator==(const Item&, const Item&) = default;
};

struct Index {
  Geometry geometry;
  std::uint64_t generation = 0;
  std::map<std::string, Item, std::less<>> items;

  // Whether a value may be put there (law 12).
  [[nodiscard]] bool has_conflict(Key key) const;
  // Of the slot's bytes those that count; 0: it does not fit a slot.
  [[nodiscard]] std::uint32_t encoded_bytes() const;
  // Writes encoded_bytes(), which is not 0.
  void encode(base::MutableBytes out) const;
};

// What the bytes of a slot are.
enum class SlotState : std::uint8_t {
  blank,          // zeros
  foreign,        // something else
  other_version,  // a vault's, of a format that this program does not know
  damaged,        // a vault's, but torn or changed
  other_device,   // a vault's that was made for a larger device, or for smaller sectors
  whole,
};
struct Slot {
  SlotState state = SlotState::foreign;
  Index index;  // if whole
};
// Reads the slot_bytes of a slot on the device. An Index that it gives keeps every rule of the
// format: sorted keys that are is_vault_key() and do not conflict, extents that are in the device
// and do not overlap.
[[nodiscard]] Slot read_slot(Bytes bytes, const block::Info& info);

// Which units are free.
class Space {
 public:
  Space() = default;
  explicit Space(const Index& index);

  [[nodiscard]] std::uint32_t free_count() const noexcept { return free_count_; }
  // Units for a value, after those that were given last; in one piece where there is one that is
  // long enough. None: too few are free. They are taken until `release`.
  [[nodiscard]] std::optional<Extents> take(std::uint32_t count);
  void release(const Extents& extents);

 private:
  [[nodiscard]] Extent next_free(std::uint32_t from, std::uint32_t count_max) const;
  void mark(const Extent& extent, bool is_used);

  std::vector<bool> used_;
  std::uint32_t free_count_ = 0;
  std::uint32_t next_ = 0;
};

}  // namespace kv::vault
