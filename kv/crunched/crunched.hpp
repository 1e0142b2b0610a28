// SPDX-License-Identifier: ISC
// kv/crunched/crunched.hpp: the store over what `crunch embed` wrote.
//
// Models:  kv::KvRo.   Owns: nothing; every byte is in .rodata, so values last and nothing is
//          copied.
// Cost:    a key that is there: one hash, about 1.3 probes, one comparison; among 100,000 keys
//          stat takes 376 instructions with four encodings (callgrind), get 246. A key that is
//          not: a binary search, 1,000. Only `list` allocates; nothing waits.

#pragma once

#include <limits>

#include "kv/crunched/table.hpp"
#include "kv/kv.hpp"

namespace kv {

class Crunched {
 public:
  using Value = Bytes;
  static constexpr bool values_last = true;
  static constexpr std::uint64_t piece_bytes_max = std::numeric_limits<std::uint64_t>::max();

  // `site`'s bytes must outlive the store; CHECKs that they are this format and whole.
  explicit Crunched(const crunched::Site& site);

  [[nodiscard]] base::Ready<Result<Kind>> exists(Key key) const;
  [[nodiscard]] base::Ready<Result<Stat>> stat(Key key) const;
  [[nodiscard]] base::Ready<Result<Value>> get(Key key, Encoding encoding) const;
  [[nodiscard]] base::Ready<Result<Value>> get_partial(Key key, Encoding encoding,
                                                       std::uint64_t offset,
                                                       std::uint64_t length) const;
  [[nodiscard]] base::Ready<Result<std::vector<Entry>>> list(Key key) const;

  [[nodiscard]] std::size_t file_count() const noexcept { return header_->file_count; }
  // Hexadecimal SHA-256 over every path, time and content.
  [[nodiscard]] std::string_view site_digest() const noexcept {
    return {header_->site_digest.data(), header_->site_digest.size()};
  }

 private:
  [[nodiscard]] Key key_of(const crunched::File& file) const noexcept {
    return {keys_ + file.key_offset, file.key_bytes};
  }
  [[nodiscard]] const crunched::File* find(Key key) const noexcept;
  [[nodiscard]] const crunched::FormRecord* find_form(const crunched::File& file,
                                                      Encoding encoding) const noexcept;
  [[nodiscard]] const crunched::File* first_below(Key directory) const noexcept;
  [[nodiscard]] bool is_dictionary(Key key) const noexcept;
  [[nodiscard]] Error absence(Key key) const noexcept;
  [[nodiscard]] Result<Bytes> form_bytes(Key key, Encoding encoding) const noexcept;

  const crunched::Header* header_ = nullptr;
  const crunched::File* files_ = nullptr;
  const crunched::FormRecord* forms_ = nullptr;
  const std::uint32_t* slots_ = nullptr;
  const std::byte* sets_ = nullptr;
  const char* keys_ = nullptr;
  const std::byte* content_ = nullptr;
};

static_assert(KvRo<Crunched>);

}  // namespace kv
