// SPDX-License-Identifier: ISC
// kv/tar/tar.hpp: a tar archive on a block device, or in memory, as a store.
//
// Models:  kv::KvRo.   Owns: the names, places and digests of its files; never their bytes.
// States:  new -> connect() -> connected. Until then every call is `unavailable`.
// Connect: reads the archive once from beginning to end, for the digests; the time is the medium's.
// Format:  kv/tar/format.hpp, with what is refused.   Waits: as the device does.
// Threads: may share one, if they may share the device.

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
#include "kv/digest.hpp"
#include "kv/flat.hpp"
#include "kv/key.hpp"
#include "kv/tar/format.hpp"

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

  // Reads the archive; once. The error is a sentence that says "it" for the archive.
  [[nodiscard]] base::Task<base::Result<void, std::string>> connect();

  [[nodiscard]] base::Ready<Result<Kind>> exists(Key key) const {
    if (!is_connected_) return {base::failure(Error::unavailable)};
    const std::optional<Kind> kind = kind_in(members_, without_slash(key));
    if (!kind) return {base::failure(Error::not_found)};
    return {*kind};
  }
  [[nodiscard]] base::Ready<Result<Stat>> stat(Key key) const;
  [[nodiscard]] base::Ready<Result<std::vector<Entry>>> list(Key key) const {
    if (!is_connected_) return {base::failure(Error::unavailable)};
    return {entries_in(members_, without_slash(key))};
  }
  [[nodiscard]] base::Task<Result<Value>> get(Key key, Encoding encoding) {
    return get_partial(key, encoding, 0, std::numeric_limits<std::uint64_t>::max());
  }
  [[nodiscard]] base::Task<Result<Value>> get_partial(Key key, Encoding encoding,
                                                      std::uint64_t offset, std::uint64_t length);

  [[nodiscard]] std::size_t file_count() const noexcept { return members_.size(); }

 private:
  [[nodiscard]] base::Task<Result<Value>> read(std::uint64_t offset, std::uint64_t bytes);

  D& device_;
  const block::Info info_;
  bool is_connected_ = false;
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
  using Outcome = base::Result<void, std::string>;
  CHECK(!is_connected_);
  const std::string fails = "cannot be read: the device fails";
  tar::Scanner scanner(info_.size_bytes());
  while (const auto wanted = scanner.wanted()) {
    const Result<Value> bytes = co_await read(wanted->offset, wanted->bytes);
    if (!bytes) co_return Outcome(base::failure(fails));
    const base::Result<void, std::string> taken = scanner.take(*bytes);
    if (!taken) co_return taken;
  }
  members_ = scanner.take_members();
  for (auto& [key, member] : members_) {
    crypto::Sha256 sha256;
    for (std::uint64_t at = 0; at < member.size_bytes; at += piece_bytes_max) {
      const Result<Value> piece = co_await read(
          member.offset + at, std::min<std::uint64_t>(piece_bytes_max, member.size_bytes - at));
      if (!piece) co_return Outcome(base::failure(fails));
      sha256.update(*piece);
    }
    member.digest = digest_of(sha256.finish());
  }
  is_connected_ = true;
  co_return Outcome();
}

template <block::BlockDevice D>
base::Ready<Result<Stat>> Tar<D>::stat(Key key) const {
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
  const Result<Stat> stat = this->stat(key).value;
  if (!stat) co_return base::failure(stat.error());
  if (encoding != Encoding::identity) co_return base::failure(Error::not_found);
  const tar::Member& member = members_.find(without_slash(key))->second;
  const std::uint64_t from = std::min(offset, member.size_bytes);
  Result<Value> value =
      co_await read(member.offset + from, std::min(length, member.size_bytes - from));
  co_return value;
}

}  // namespace kv
