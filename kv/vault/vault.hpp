// SPDX-License-Identifier: ISC
// kv/vault/vault.hpp: a store on a small block device, for what must survive a loss of power: keys,
// certificates, accounts.
//
// Models:  kv::KvRw.   Owns: the index in memory; never a value.
// States:  new -> connect() -> connected. Until then every call is `unavailable`.
// Format:  kv/vault/format.hpp, with what a loss of power leaves.
// Bounds:  the index takes at most what fits 16 KiB on the device (about 200 keys), that of units
//          at most 8 KiB for each 256 MiB, a change or a read the value once more (1 MiB).
// Reads:   the whole value, always: its SHA-256 is compared, and one that is damaged is
//          `unavailable`.
// Secrets: what is read is wiped when the Value goes, what is written when the change is done, a
//          driver's copies when the call ends; the old value is overwritten on the device.
// Blocks:  as the device does. Threads: one, the loop's.

#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/turns.hpp"
#include "base/wipe.hpp"
#include "kv/flat.hpp"
#include "kv/vault/format.hpp"
#include "kv/vault/passage.hpp"

namespace kv {

namespace vault {

// Why a device is no vault that can be used, as a sentence that says "it" for the device; empty:
// one of the slots is whole.
[[nodiscard]] std::string refusal(const Slot& a, const Slot& b);
// The one whose index is durable, if one of them is whole. One that was read need not be: a write
// or flush of it may have failed before this start, and it came from a cache. A slot is written
// only when the other is durable, and in a change slot A first: so it is the older one, or slot A.
[[nodiscard]] const Slot& durable_slot(const Slot& a, const Slot& b);
// The one whose index is right, if one of them is whole.
[[nodiscard]] const Slot& right_slot(const Slot& a, const Slot& b);

inline constexpr std::string_view cannot_be_read = "cannot be read: the device fails";
inline constexpr std::string_view cannot_be_written = "cannot be written: the device fails";

}  // namespace vault

template <block::BlockDevice D>
class Vault {
 public:
  using Value = SecretValue;
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = vault_value_bytes_max;

  // Both outlive the vault. The loop's clock dates the values; the loop turns while calls wait.
  Vault(D& device, base::Loop& loop)
      : device_(device), info_(device.info()), loop_(loop), turns_(loop) {}
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  // Makes a new vault of the whole device, whatever it holds. It holds none if that fails.
  // The error is a sentence that says "it" for the device.
  [[nodiscard]] static base::Task<base::Result<void, std::string>> format(D& device);

  // Reads the index; once. Nothing is changed on a device that is refused.
  [[nodiscard]] base::Task<base::Result<void, std::string>> connect();

  [[nodiscard]] base::Ready<Result<Kind>> exists(Key key) const;
  [[nodiscard]] base::Ready<Result<Stat>> stat(Key key) const;
  [[nodiscard]] base::Ready<Result<std::vector<Entry>>> list(Key key) const;
  [[nodiscard]] base::Task<Result<Value>> get(Key key, Encoding encoding) {
    return get_partial(key, encoding, 0, std::numeric_limits<std::uint64_t>::max());
  }
  [[nodiscard]] base::Task<Result<Value>> get_partial(Key key, Encoding encoding,
                                                      std::uint64_t offset, std::uint64_t length);
  // The bytes are the caller's: it wipes them.
  [[nodiscard]] base::Task<ChangeResult<void>> set(Key key, Bytes value);
  [[nodiscard]] base::Task<ChangeResult<void>> remove(Key key);

  // How many times the index was written, and the bytes that are free for values.
  [[nodiscard]] std::uint64_t generation() const noexcept { return index_.generation; }
  [[nodiscard]] std::uint64_t free_bytes() const noexcept {
    return std::uint64_t{space_.free_count()} * index_.geometry.unit_bytes;
  }
  // Whether connect() found both copies of the index whole and equal. They are not after a loss of
  // power, or if the medium has damaged one.
  [[nodiscard]] bool had_both_copies() const noexcept { return had_both_copies_; }

 private:
  using Done = base::Task<block::Result<void>>;

  [[nodiscard]] std::uint64_t sector_of(std::uint64_t offset) const {
    return offset / info_.sector_bytes;
  }
  // Writes `index` to the slot at `offset` and flushes.
  [[nodiscard]] Done write_durably(std::uint32_t offset, const vault::Index& index);
  // Writes index_ to the slot that may not hold it durably; then to the other, if that holds an
  // older one.
  [[nodiscard]] Done mend_copies();
  // Lines 3 and 4 of the format: `next` is the index from now on.
  [[nodiscard]] base::Task<ChangeResult<void>> commit(vault::Index next);
  [[nodiscard]] Done write_units(const vault::Extents& extents, Bytes padded);
  [[nodiscard]] base::Task<void> erase(const vault::Extents& extents);
  [[nodiscard]] base::Task<ChangeResult<void>> set_in_turn(Key key, Bytes value);
  [[nodiscard]] base::Task<ChangeResult<void>> remove_in_turn(Key key);

  // While it lives a change is under way; a change that ends otherwise than by finish() was
  // abandoned, and the device may still be at it: nothing more is written (law 16).
  class Change {
   public:
    explicit Change(bool& is_abandoned) : is_abandoned_(is_abandoned) { is_abandoned_ = true; }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() = default;
    void finish() noexcept { is_abandoned_ = false; }

   private:
    bool& is_abandoned_;
  };

  D& device_;
  const block::Info info_;
  base::Loop& loop_;
  base::Turns turns_;
  bool is_connected_ = false;
  bool had_both_copies_ = false;
  bool are_copies_equal_ = false;  // and durable: both slots hold index_'s items
  std::uint32_t good_offset_ = 0;  // of a slot that is whole and durable in any case
  bool is_good_old_ = false;       // that one holds the items before index_'s
  bool is_abandoned_ = false;
  vault::Index index_;
  vault::Space space_;
  std::uint64_t last_generation_ = 0;  // that a slot may have
};

template <block::BlockDevice D>
base::Task<base::Result<void, std::string>> Vault<D>::format(D& device) {
  using Outcome = base::Result<void, std::string>;
  const block::Info info = device.info();
  const auto geometry = vault::geometry_for(info);
  if (!geometry) {
    co_return Outcome(base::failure(
        info.sector_bytes > vault::sector_bytes_max
            ? std::string("has sectors of more than 4096 bytes, which a vault cannot use")
            : std::string("is smaller than 64 KiB, the least that a vault takes")));
  }
  // First neither slot is anything: no older vault is mixed with the new one.
  std::vector<std::byte> bytes(vault::slots_bytes);
  for (const bool is_blank : {true, false}) {
    if (!is_blank) {
      vault::Index index;
      index.geometry = *geometry;
      index.encode(std::span(bytes).first(vault::slot_bytes));
      std::copy_n(bytes.begin(), vault::slot_bytes, bytes.begin() + vault::slot_bytes);
    }
    const block::Result<void> was_written = co_await device.write(0, bytes);
    if (!was_written) co_return Outcome(base::failure(std::string(vault::cannot_be_written)));
    const block::Result<void> was_flushed = co_await device.flush();
    if (!was_flushed) co_return Outcome(base::failure(std::string(vault::cannot_be_written)));
  }
  co_return Outcome();
}

template <block::BlockDevice D>
base::Task<base::Result<void, std::string>> Vault<D>::connect() {
  using Outcome = base::Result<void, std::string>;
  CHECK(!is_connected_);
  if (info_.size_bytes() < vault::device_bytes_min ||
      info_.sector_bytes > vault::sector_bytes_max) {
    co_return Outcome(base::failure(std::string(
        "cannot be a vault: one has at least 64 KiB, and sectors of at most 4096 bytes")));
  }
  std::vector<std::byte> bytes(vault::slots_bytes);
  const block::Result<void> was_read = co_await device_.read(0, bytes);
  if (!was_read) co_return Outcome(base::failure(std::string(vault::cannot_be_read)));
  vault::Slot a = vault::read_slot(std::span(bytes).first(vault::slot_bytes), info_);
  vault::Slot b = vault::read_slot(std::span(bytes).last(vault::slot_bytes), info_);
  std::string why = vault::refusal(a, b);
  if (!why.empty()) co_return Outcome(base::failure(std::move(why)));
  had_both_copies_ = a.state == b.state && a.index.items == b.index.items;
  const vault::Slot& durable = vault::durable_slot(a, b);
  good_offset_ = &durable == &a ? 0 : vault::slot_bytes;
  index_ = vault::right_slot(a, b).index;
  is_good_old_ = durable.index.items != index_.items;
  space_ = vault::Space(index_);
  last_generation_ = index_.generation;
  is_connected_ = true;
  // If they cannot be mended, the next change tries again, and reads work.
  if (!info_.is_read_only && !had_both_copies_) {
    Change change(is_abandoned_);
    const block::Result<void> were_mended = co_await mend_copies();
    static_cast<void>(were_mended);
    change.finish();
  }
  co_return Outcome();
}

template <block::BlockDevice D>
base::Ready<Result<Kind>> Vault<D>::exists(Key key) const {
  if (!is_connected_) return {base::failure(Error::unavailable)};
  const auto kind = kind_in(index_.items, without_slash(key));
  if (!kind) return {base::failure(Error::not_found)};
  return {*kind};
}

template <block::BlockDevice D>
base::Ready<Result<Stat>> Vault<D>::stat(Key key) const {
  if (!is_connected_) return {base::failure(Error::unavailable)};
  key = without_slash(key);
  const auto at = index_.items.find(key);
  if (at == index_.items.end()) {
    return {base::failure(kind_in(index_.items, key) ? Error::value_expected : Error::not_found)};
  }
  Stat stat;
  stat.modified_s = at->second.modified_s;
  stat.set(Encoding::identity, {at->second.size_bytes, digest_of(at->second.sha256), {}});
  return {stat};
}

template <block::BlockDevice D>
base::Ready<Result<std::vector<Entry>>> Vault<D>::list(Key key) const {
  if (!is_connected_) return {base::failure(Error::unavailable)};
  return {entries_in(index_.items, without_slash(key))};
}

template <block::BlockDevice D>
base::Task<Result<typename Vault<D>::Value>> Vault<D>::get_partial(Key key, Encoding encoding,
                                                                   std::uint64_t offset,
                                                                   std::uint64_t length) {
  const base::Turns::Turn turn = co_await turns_.take();
  const Result<Stat> stat = this->stat(key).value;
  if (!stat) co_return base::failure(stat.error());
  if (encoding != Encoding::identity) co_return base::failure(Error::not_found);
  const vault::Item& item = index_.items.find(without_slash(key))->second;
  const vault::Geometry& geometry = index_.geometry;
  base::SecretBytes bytes(std::size_t{geometry.units_for(item.size_bytes)} * geometry.unit_bytes);
  if (!bytes.has_memory()) co_return base::failure(Error::unavailable);
  const vault::Passage passage(device_);
  base::MutableBytes rest = bytes.all();
  // A turn is held: no change touches the item meanwhile.
  for (const vault::Extent& extent : item.extents) {
    const std::size_t size = std::size_t{extent.count} * geometry.unit_bytes;
    const block::Result<void> was_read =
        co_await device_.read(sector_of(geometry.offset_of(extent.first)), rest.first(size));
    if (!was_read) co_return base::failure(Error::unavailable);
    rest = rest.subspan(size);
  }
  const Bytes whole = Bytes(bytes.all()).first(item.size_bytes);
  if (crypto::sha256_of(whole) != item.sha256) co_return base::failure(Error::unavailable);
  co_return Value(std::move(bytes), part_of(whole, offset, length));
}

template <block::BlockDevice D>
base::Task<block::Result<void>> Vault<D>::write_durably(std::uint32_t offset,
                                                        const vault::Index& index) {
  const std::size_t sector_bytes = info_.sector_bytes;
  const std::uint32_t used_bytes = index.encoded_bytes();
  CHECK(used_bytes > 0);
  std::vector<std::byte> bytes((used_bytes + sector_bytes - 1) / sector_bytes * sector_bytes);
  index.encode(bytes);
  const block::Result<void> was_written = co_await device_.write(sector_of(offset), bytes);
  if (!was_written) co_return was_written;
  const block::Result<void> was_flushed = co_await device_.flush();
  co_return was_flushed;
}

template <block::BlockDevice D>
base::Task<block::Result<void>> Vault<D>::mend_copies() {
  if (are_copies_equal_) co_return block::Result<void>();
  // Whatever the other slot may hold has an earlier generation.
  index_.generation = ++last_generation_;
  block::Result<void> was_written =
      co_await write_durably(vault::slot_bytes - good_offset_, index_);
  if (was_written && std::exchange(is_good_old_, false)) {
    good_offset_ = vault::slot_bytes - good_offset_;
    was_written = co_await write_durably(vault::slot_bytes - good_offset_, index_);
  }
  are_copies_equal_ = was_written.has_value();
  co_return was_written;
}

template <block::BlockDevice D>
base::Task<ChangeResult<void>> Vault<D>::commit(vault::Index next) {
  CHECK(are_copies_equal_);
  next.generation = ++last_generation_;
  are_copies_equal_ = false;
  good_offset_ = vault::slot_bytes;
  const block::Result<void> was_made = co_await write_durably(0, next);
  if (!was_made) co_return base::failure(ChangeError::unavailable);
  // The change is made, whatever becomes of the second copy.
  good_offset_ = 0;
  index_ = std::move(next);
  const block::Result<void> was_copied = co_await write_durably(vault::slot_bytes, index_);
  are_copies_equal_ = was_copied.has_value();
  co_return ChangeResult<void>();
}

template <block::BlockDevice D>
base::Task<block::Result<void>> Vault<D>::write_units(const vault::Extents& extents, Bytes padded) {
  for (const vault::Extent& extent : extents) {
    const std::size_t size = std::size_t{extent.count} * index_.geometry.unit_bytes;
    const block::Result<void> was_written = co_await device_.write(
        sector_of(index_.geometry.offset_of(extent.first)), padded.first(size));
    if (!was_written) co_return was_written;
    padded = padded.subspan(size);
  }
  co_return block::Result<void>();
}

// Overwrites what no slot refers to any more. If that fails the old bytes stay on the device.
template <block::BlockDevice D>
base::Task<void> Vault<D>::erase(const vault::Extents& extents) {
  std::vector<std::byte> zeros(index_.geometry.unit_bytes);
  for (const vault::Extent& extent : extents) {
    for (std::uint32_t unit = extent.first; unit < extent.first + extent.count; ++unit) {
      const block::Result<void> was_written =
          co_await device_.write(sector_of(index_.geometry.offset_of(unit)), zeros);
      if (!was_written) co_return;
    }
  }
}

template <block::BlockDevice D>
base::Task<ChangeResult<void>> Vault<D>::set(Key key, Bytes value) {
  const base::Turns::Turn turn = co_await turns_.take();
  if (!is_connected_ || is_abandoned_) co_return base::failure(ChangeError::unavailable);
  Change change(is_abandoned_);
  const ChangeResult<void> result = co_await set_in_turn(without_slash(key), value);
  change.finish();
  co_return result;
}

template <block::BlockDevice D>
base::Task<ChangeResult<void>> Vault<D>::set_in_turn(Key key, Bytes value) {
  if (!is_vault_key(key)) co_return base::failure(ChangeError::bad_key);
  if (value.size() > vault_value_bytes_max) co_return base::failure(ChangeError::too_large);
  if (index_.has_conflict(key)) co_return base::failure(ChangeError::conflict);
  const std::uint32_t unit_count = index_.geometry.units_for(value.size());
  base::SecretBytes padded(std::size_t{unit_count} * index_.geometry.unit_bytes);
  if (!padded.has_memory()) co_return base::failure(ChangeError::unavailable);
  std::ranges::copy(value, padded.all().begin());
  auto extents = space_.take(unit_count);
  if (!extents) co_return base::failure(ChangeError::full);
  vault::Index next = index_;
  vault::Item& item = next.items[std::string(key)];
  const vault::Extents old_extents = std::move(item.extents);
  item = {.size_bytes = static_cast<std::uint32_t>(value.size()),
          .modified_s = loop_.clock().wall_s(),
          .sha256 = crypto::sha256_of(value),
          .extents = *extents};
  if (next.encoded_bytes() == 0) {
    space_.release(*extents);
    co_return base::failure(ChangeError::full);
  }
  const vault::Passage passage(device_);
  block::Result<void> was_written = co_await mend_copies();
  if (was_written) was_written = co_await write_units(*extents, padded.all());
  if (was_written) was_written = co_await device_.flush();
  if (!was_written) {
    space_.release(*extents);
    co_return base::failure(ChangeError::unavailable);
  }
  const ChangeResult<void> result = co_await commit(std::move(next));
  // Of a change that failed slot A may refer to the new units. Nothing is written to them before
  // the slot was mended.
  const vault::Extents& unused = result ? old_extents : *extents;
  space_.release(unused);
  if (are_copies_equal_) co_await erase(unused);
  co_return result;
}

template <block::BlockDevice D>
base::Task<ChangeResult<void>> Vault<D>::remove(Key key) {
  const base::Turns::Turn turn = co_await turns_.take();
  if (!is_connected_ || is_abandoned_) co_return base::failure(ChangeError::unavailable);
  Change change(is_abandoned_);
  const ChangeResult<void> result = co_await remove_in_turn(without_slash(key));
  change.finish();
  co_return result;
}

template <block::BlockDevice D>
base::Task<ChangeResult<void>> Vault<D>::remove_in_turn(Key key) {
  const auto kind = kind_in(index_.items, key);
  if (!kind) co_return base::failure(ChangeError::not_found);
  if (*kind == Kind::dictionary) co_return base::failure(ChangeError::conflict);
  const block::Result<void> were_mended = co_await mend_copies();
  if (!were_mended) co_return base::failure(ChangeError::unavailable);
  vault::Index next = index_;
  const auto at = next.items.find(key);
  const vault::Extents old_extents = std::move(at->second.extents);
  next.items.erase(at);
  const ChangeResult<void> result = co_await commit(std::move(next));
  if (!result) co_return result;
  space_.release(old_extents);
  if (are_copies_equal_) co_await erase(old_extents);
  co_return result;
}

}  // namespace kv
