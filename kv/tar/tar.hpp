// SPDX-License-Identifier: ISC
// kv/tar/tar.hpp: a tar archive on a block device, or in memory, as a store.
//
// Models:  kv::KvRo.   Owns: the names, places and digests of its files; never their bytes.
// States:  new -> connect() -> connected. Until then every call is `unavailable`.
// Packed:  what `crunch pack` made (kv/tar/packed.hpp) has an index: connect reads that, and the
//          store has the forms, heads and rules that the crunched one has.
// Others:  connect reads the archive once from beginning to end, for the digests; the time is the
//          medium's. Values have one form.
// Format:  kv/tar/format.hpp, with what is refused.   Waits: as the device does.
// Threads: may share one once it is connected, if they may share the device.

#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "block/block.hpp"
#include "crypto/hash.hpp"
#include "kv/crunched/index.hpp"
#include "kv/digest.hpp"
#include "kv/flat.hpp"
#include "kv/key.hpp"
#include "kv/tar/format.hpp"
#include "kv/tar/packed.hpp"

namespace kv {

template <block::BlockDevice D>
class Tar {
 public:
  // Whole sectors, of which a part is the value's.
  class Value {
   public:
    Value() = default;
    operator Bytes() const noexcept { return part_; }  // NOLINT: as kv::HasGetPartial has it

   private:
    friend class Tar;
    std::unique_ptr<std::byte[]> sectors_;
    Bytes part_;
  };
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = std::uint64_t{256} * 1024;

  explicit Tar(D& device) : device_(device), info_(device.info()) {}
  Tar(const Tar&) = delete;
  Tar& operator=(const Tar&) = delete;

  // Reads the archive; once. The error is a sentence that says "it" for the archive. Throws
  // std::bad_alloc.
  [[nodiscard]] base::Task<base::Result<void, std::string>> connect();

  [[nodiscard]] base::Ready<Result<Kind>> exists(Key key) const {
    if (!is_connected_) return {base::failure(Error::unavailable)};
    if (index_) return index_->exists(key);
    const std::optional<Kind> kind = kind_in(members_, without_slash(key));
    if (!kind) return {base::failure(Error::not_found)};
    return {*kind};
  }
  [[nodiscard]] base::Ready<Result<Stat>> stat(Key key) const;
  [[nodiscard]] base::Ready<Result<std::vector<Entry>>> list(Key key) const {
    if (!is_connected_) return {base::failure(Error::unavailable)};
    if (index_) return index_->list(key);
    return {entries_in(members_, without_slash(key))};
  }
  [[nodiscard]] base::Task<Result<Value>> get(Key key, Encoding encoding) {
    return get_partial(key, encoding, 0, std::numeric_limits<std::uint64_t>::max());
  }
  [[nodiscard]] base::Task<Result<Value>> get_partial(Key key, Encoding encoding,
                                                      std::uint64_t offset, std::uint64_t length);

  [[nodiscard]] std::size_t file_count() const noexcept {
    return index_ ? index_->file_count() : members_.size();
  }
  // Of an archive by another tool: what lies at or below a name that begins with '.', but
  // ".well-known", is as if it were not there, as in a directory. Returns how many files that are.
  std::size_t leave_out_dotfiles() {
    return std::erase_if(members_, [](const auto& member) {
      for (Key rest = member.first; !rest.empty();) {
        const Key segment = take_segment(rest);
        if (segment.starts_with('.') && segment != ".well-known") return true;
      }
      return false;
    });
  }
  // Whether `crunch pack` made it.
  [[nodiscard]] bool is_packed() const noexcept { return index_.has_value(); }

 private:
  using Connected = base::Result<void, std::string>;
  static constexpr const char* cannot_be_read = "cannot be read: the device fails";
  struct Place {
    std::uint64_t offset = 0;  // in the archive
    std::uint64_t size_bytes = 0;
  };

  [[nodiscard]] base::Task<Result<Value>> read(std::uint64_t offset, std::uint64_t bytes);
  [[nodiscard]] base::Task<Connected> read_members();
  [[nodiscard]] base::Task<Connected> read_index(tar::Packed packed);
  [[nodiscard]] Result<Place> place_of(Key key, Encoding encoding) const;

  D& device_;
  const block::Info info_;
  bool is_connected_ = false;
  std::unique_ptr<std::uint64_t[]> index_words_;  // aligned as an index is
  std::optional<crunched::Index> index_;
  tar::Members members_;
};

// Bytes anywhere in the device.
template <block::BlockDevice D>
base::Task<Result<typename Tar<D>::Value>> Tar<D>::read(std::uint64_t offset, std::uint64_t bytes) {
  Value value;
  if (bytes == 0) co_return value;
  const std::uint64_t first = offset / info_.sector_bytes;
  const std::uint64_t last = (offset + bytes - 1) / info_.sector_bytes;
  const std::uint64_t size = (last - first + 1) * info_.sector_bytes;
  value.sectors_.reset(new (std::nothrow) std::byte[size]);
  if (value.sectors_ == nullptr) co_return base::failure(Error::unavailable);
  const base::MutableBytes sectors(value.sectors_.get(), size);
  const block::Result<void> was_read = co_await device_.read(first, sectors);
  if (!was_read) co_return base::failure(Error::unavailable);
  value.part_ = sectors.subspan(offset - first * info_.sector_bytes, bytes);
  co_return value;
}

template <block::BlockDevice D>
base::Task<base::Result<void, std::string>> Tar<D>::connect() {
  CHECK(!is_connected_);
  std::optional<tar::Packed> packed;
  if (info_.size_bytes() >= tar::packed_blocks_bytes) {
    const Result<Value> begin = co_await read(0, tar::packed_blocks_bytes);
    if (!begin) co_return Connected(base::failure(std::string(cannot_be_read)));
    auto found = tar::packed_in(*begin, info_.size_bytes());
    if (!found) co_return Connected(base::failure(std::move(found.error())));
    packed = *found;
  }
  Connected connected;
  if (packed) {
    connected = co_await read_index(*packed);
  } else {
    connected = co_await read_members();
  }
  is_connected_ = connected.has_value();
  co_return connected;
}

template <block::BlockDevice D>
base::Task<base::Result<void, std::string>> Tar<D>::read_index(tar::Packed packed) {
  const Result<Value> end = co_await read(packed.end_offset, 2 * tar::block_bytes);
  if (!end) co_return Connected(base::failure(std::string(cannot_be_read)));
  if (base::text_of(*end).find_first_not_of('\0') != std::string_view::npos) {
    co_return Connected(base::failure(std::string(
        "was changed after crunch pack, which leaves its index behind; pack it again")));
  }
  index_words_ = std::make_unique<std::uint64_t[]>(packed.index_bytes / 8 + 1);
  const base::MutableBytes index(reinterpret_cast<std::byte*>(index_words_.get()),
                                 packed.index_bytes);
  for (std::uint64_t at = 0; at < index.size(); at += piece_bytes_max) {
    const std::uint64_t count = std::min<std::uint64_t>(piece_bytes_max, index.size() - at);
    const Result<Value> piece = co_await read(packed.index_offset + at, count);
    if (!piece) co_return Connected(base::failure(std::string(cannot_be_read)));
    std::ranges::copy(Bytes(*piece), index.begin() + static_cast<std::ptrdiff_t>(at));
  }
  if (crypto::sha256_of(index) != packed.index_sha256) {
    co_return Connected(base::failure(
        std::string("is damaged, or was changed after crunch pack: its index is not the one that "
                    "was packed; copy it again, or pack it again")));
  }
  const std::string_view fault = crunched::fault_of(index, packed.index_offset);
  if (!fault.empty()) {
    co_return Connected(base::failure("is refused: its index is wrong (" + std::string(fault) +
                                      "); pack it again"));
  }
  index_.emplace(index);
  co_return Connected();
}

// Of an archive that another tool made.
template <block::BlockDevice D>
base::Task<base::Result<void, std::string>> Tar<D>::read_members() {
  tar::Scanner scanner(info_.size_bytes());
  while (const auto wanted = scanner.wanted()) {
    const Result<Value> bytes = co_await read(wanted->offset, wanted->bytes);
    if (!bytes) co_return Connected(base::failure(std::string(cannot_be_read)));
    const Connected taken = scanner.take(*bytes);
    if (!taken) co_return taken;
  }
  members_ = scanner.take_members();
  for (auto& [key, member] : members_) {
    crypto::Sha256 sha256;
    for (std::uint64_t at = 0; at < member.size_bytes; at += piece_bytes_max) {
      const Result<Value> piece = co_await read(
          member.offset + at, std::min<std::uint64_t>(piece_bytes_max, member.size_bytes - at));
      if (!piece) co_return Connected(base::failure(std::string(cannot_be_read)));
      sha256.update(*piece);
    }
    member.digest = digest_of(sha256.finish());
  }
  co_return Connected();
}

template <block::BlockDevice D>
base::Ready<Result<Stat>> Tar<D>::stat(Key key) const {
  if (index_) return index_->stat(key);
  const Result<Kind> kind = exists(key).value;
  if (!kind) return {base::failure(kind.error())};
  if (*kind == Kind::dictionary) return {base::failure(Error::value_expected)};
  const tar::Member& member = members_.find(without_slash(key))->second;
  Stat stat;
  stat.modified_s = member.modified_s;
  stat.set(Encoding::identity, {member.size_bytes, member.digest.value(), {}});
  return {stat};
}

template <block::BlockDevice D>
base::Task<Result<typename Tar<D>::Value>> Tar<D>::get_partial(Key key, Encoding encoding,
                                                               std::uint64_t offset,
                                                               std::uint64_t length) {
  const Result<Place> place = place_of(key, encoding);
  if (!place) co_return base::failure(place.error());
  const std::uint64_t from = std::min(offset, place->size_bytes);
  Result<Value> value =
      co_await read(place->offset + from, std::min(length, place->size_bytes - from));
  co_return value;
}

template <block::BlockDevice D>
Result<typename Tar<D>::Place> Tar<D>::place_of(Key key, Encoding encoding) const {
  if (index_) {
    const Result<const crunched::FormRecord*> form = index_->form(without_slash(key), encoding);
    if (!form) return base::failure(form.error());
    return Place{(*form)->content_offset, (*form)->size_bytes};
  }
  const Result<Stat> stat = this->stat(key).value;
  if (!stat) return base::failure(stat.error());
  if (encoding != Encoding::identity) return base::failure(Error::not_found);
  const tar::Member& member = members_.find(without_slash(key))->second;
  return Place{member.offset, member.size_bytes};
}

}  // namespace kv
