// SPDX-License-Identifier: ISC
#include "kv/vault/format.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "kv/flat.hpp"

namespace kv::vault {

namespace {

constexpr std::string_view magic = "crunch vault 01\n";
constexpr std::string_view magic_of_all = "crunch vault ";
constexpr std::uint64_t generation_max = ~std::uint64_t{0} >> 1U;  // which no device lives to see
constexpr std::uint32_t item_head_bytes = 48;
constexpr std::uint32_t extent_bytes = 8;
constexpr std::uint32_t sha256_at = header_bytes - sizeof(crypto::Sha256Bytes);

// Writes numbers and bytes one after another; the caller has made room.
class Out {
 public:
  explicit Out(base::MutableBytes to) : to_(to) {}
  void number(std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) to_[at_++] = static_cast<std::byte>(value >> (8 * i));
  }
  void bytes(Bytes bytes) {
    std::ranges::copy(bytes, to_.subspan(at_).begin());
    at_ += bytes.size();
  }

 private:
  base::MutableBytes to_;
  std::size_t at_ = 0;
};

// Reads them; what lies behind the end is zero and `failed`.
class In {
 public:
  explicit In(Bytes from) : from_(from) {}
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    const Bytes part = this->bytes(bytes);
    for (std::size_t i = 0; i < part.size(); ++i) {
      value |= std::to_integer<std::uint64_t>(part[i]) << (8 * i);
    }
    return value;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  Bytes bytes(std::size_t count) {
    if (count > from_.size()) {
      failed_ = true;
      from_ = {};
      return {};
    }
    const Bytes part = from_.first(count);
    from_ = from_.subspan(count);
    return part;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool is_at_end() const noexcept { return !failed_ && from_.empty(); }

 private:
  Bytes from_;
  bool failed_ = false;
};

crypto::Sha256Bytes sha256_of_slot(Bytes slot, std::uint32_t bytes) {
  crypto::Sha256 sha256;
  sha256.update(slot.first(sha256_at));
  sha256.update(slot.subspan(header_bytes, bytes - header_bytes));
  return sha256.finish();
}

std::uint32_t encoded_bytes_of(Key key, const Item& item) {
  return static_cast<std::uint32_t>(item_head_bytes + key.size() +
                                    extent_bytes * item.extents.size());
}

bool is_possible(const Geometry& geometry) {
  return geometry.unit_bytes >= block::sector_bytes_min &&
         geometry.unit_bytes <= sector_bytes_max &&
         (geometry.unit_bytes & (geometry.unit_bytes - 1)) == 0 && geometry.unit_count > 0 &&
         geometry.offset_of(geometry.unit_count) <= used_bytes_max;
}

// The extents of one item: in the device, as many units as the value takes, of which none is
// another's.
bool take_extents(In& in, std::size_t count, const Geometry& geometry, std::vector<bool>& used,
                  Item& item) {
  std::uint64_t units = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t first = in.u32();
    const std::uint32_t length = in.u32();
    if (in.failed() || length == 0 || first >= geometry.unit_count ||
        length > geometry.unit_count - first) {
      return false;
    }
    for (std::uint32_t unit = first; unit < first + length; ++unit) {
      if (used[unit]) return false;
      used[unit] = true;
    }
    units += length;
    item.extents.push_back({first, length});
  }
  return units == geometry.units_for(item.size_bytes);
}

bool read_items(In& in, std::uint32_t count, Index& index) {
  std::vector<bool> used(index.geometry.unit_count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t key_bytes = in.number(2);
    const std::size_t extent_count = in.number(2);
    Item item;
    item.size_bytes = in.u32();
    item.modified_s = static_cast<std::int64_t>(in.number(8));
    const Bytes sha256 = in.bytes(sizeof item.sha256);
    const std::string_view key = base::text_of(in.bytes(key_bytes));
    if (in.failed() || !is_vault_key(key) || item.size_bytes > vault_value_bytes_max) return false;
    std::ranges::copy(sha256, item.sha256.begin());
    if (!take_extents(in, extent_count, index.geometry, used, item)) return false;
    if (!index.items.empty() && index.items.rbegin()->first >= key) return false;
    if (index.has_conflict(key)) return false;
    index.items.emplace_hint(index.items.end(), key, std::move(item));
  }
  return in.is_at_end();
}

}  // namespace

std::optional<Geometry> geometry_for(const block::Info& info) {
  constexpr std::uint64_t large = std::uint64_t{1} << 20U;
  constexpr std::uint32_t large_unit_bytes = 4096;
  const std::uint64_t bytes = std::min(info.size_bytes(), used_bytes_max);
  if (bytes < device_bytes_min || info.sector_bytes > sector_bytes_max) return std::nullopt;
  Geometry geometry;
  geometry.unit_bytes = bytes >= large ? large_unit_bytes : info.sector_bytes;
  geometry.unit_count = static_cast<std::uint32_t>((bytes - slots_bytes) / geometry.unit_bytes);
  return geometry;
}

bool Index::has_conflict(Key key) const {
  if (kind_in(items, key) == Kind::dictionary) return true;
  for (std::size_t end = key.find('/'); end != Key::npos; end = key.find('/', end + 1)) {
    if (items.contains(key.substr(0, end))) return true;
  }
  return false;
}

std::uint32_t Index::encoded_bytes() const {
  std::uint64_t bytes = header_bytes;
  for (const auto& [key, item] : items) bytes += encoded_bytes_of(key, item);
  return bytes <= slot_bytes ? static_cast<std::uint32_t>(bytes) : 0;
}

void Index::encode(base::MutableBytes out) const {
  const std::uint32_t bytes = encoded_bytes();
  CHECK(bytes != 0 && out.size() >= bytes);
  Out header(out.first(sha256_at));
  header.bytes(base::bytes_of(magic));
  header.number(geometry.unit_bytes, 4);
  header.number(geometry.unit_count, 4);
  header.number(items.size(), 4);
  header.number(bytes - header_bytes, 4);
  header.number(generation, 8);
  header.number(0, 8);
  Out rest(out.subspan(header_bytes));
  for (const auto& [key, item] : items) {
    rest.number(key.size(), 2);
    rest.number(item.extents.size(), 2);
    rest.number(item.size_bytes, 4);
    rest.number(static_cast<std::uint64_t>(item.modified_s), 8);
    rest.bytes(item.sha256);
    rest.bytes(base::bytes_of(key));
    for (const Extent& extent : item.extents) {
      rest.number(extent.first, 4);
      rest.number(extent.count, 4);
    }
  }
  std::ranges::copy(sha256_of_slot(out, bytes), out.subspan(sha256_at).begin());
}

Slot read_slot(Bytes bytes, const block::Info& info) {
  CHECK(bytes.size() == slot_bytes);
  const std::string_view text = base::text_of(bytes);
  if (text.find_first_not_of('\0') == std::string_view::npos) return {SlotState::blank, {}};
  if (!text.starts_with(magic_of_all)) return {SlotState::foreign, {}};
  if (!text.starts_with(magic)) return {SlotState::other_version, {}};
  Slot slot{SlotState::damaged, {}};
  In header(bytes.subspan(magic.size()));
  slot.index.geometry.unit_bytes = header.u32();
  slot.index.geometry.unit_count = header.u32();
  const std::uint32_t item_count = header.u32();
  const std::uint32_t item_bytes = header.u32();
  slot.index.generation = header.number(8);
  if (header.number(8) != 0 || item_bytes > slot_bytes - header_bytes) return slot;
  if (slot.index.generation > generation_max) return slot;
  const crypto::Sha256Bytes right = sha256_of_slot(bytes, header_bytes + item_bytes);
  if (!std::ranges::equal(right, bytes.subspan(sha256_at, right.size()))) return slot;
  const Geometry& geometry = slot.index.geometry;
  if (!is_possible(geometry)) return slot;
  if (geometry.unit_bytes % info.sector_bytes != 0 ||
      geometry.offset_of(geometry.unit_count) > info.size_bytes()) {
    return {SlotState::other_device, {}};
  }
  In items(bytes.subspan(header_bytes, item_bytes));
  if (read_items(items, item_count, slot.index)) slot.state = SlotState::whole;
  return slot;
}

Space::Space(const Index& index)
    : used_(index.geometry.unit_count), free_count_(index.geometry.unit_count) {
  for (const auto& [key, item] : index.items) {
    for (const Extent& extent : item.extents) mark(extent, true);
  }
}

void Space::mark(const Extent& extent, bool is_used) {
  for (std::uint32_t unit = extent.first; unit < extent.first + extent.count; ++unit) {
    CHECK(used_[unit] != is_used);
    used_[unit] = is_used;
  }
  free_count_ = is_used ? free_count_ - extent.count : free_count_ + extent.count;
}

// The first free units at or behind `from`; count 0: there are none.
Extent Space::next_free(std::uint32_t from, std::uint32_t count_max) const {
  const auto size = static_cast<std::uint32_t>(used_.size());
  while (from < size && used_[from]) ++from;
  Extent extent{from, 0};
  while (extent.count < count_max && from < size && !used_[from]) {
    ++extent.count;
    ++from;
  }
  return extent;
}

std::optional<Extents> Space::take(std::uint32_t count) {
  if (count > free_count_) return std::nullopt;
  Extents taken;
  if (count == 0) return taken;
  const auto size = static_cast<std::uint32_t>(used_.size());
  for (const std::uint32_t start : {next_, std::uint32_t{0}}) {
    for (std::uint32_t at = start; at < size;) {
      const Extent extent = next_free(at, count);
      if (extent.count == count) {
        taken = {extent};
        break;
      }
      at = extent.first + extent.count + 1;
    }
    if (!taken.empty()) break;
  }
  if (taken.empty()) {
    for (std::uint32_t at = 0, left = count; left > 0;) {
      const Extent extent = next_free(at, left);
      CHECK(extent.count > 0);
      taken.push_back(extent);
      left -= extent.count;
      at = extent.first + extent.count;
    }
  }
  for (const Extent& extent : taken) mark(extent, true);
  next_ = (taken.back().first + taken.back().count) % size;
  return taken;
}

void Space::release(const Extents& extents) {
  for (const Extent& extent : extents) mark(extent, false);
}

}  // namespace kv::vault
