// SPDX-License-Identifier: ISC
// kv/crunched/index.hpp: the index of a crunched site: what is there, and where its bytes are.
//
// States:  Index, fault_of.   Used by: kv/crunched (the content is in .rodata), kv/tar (it is on a
//          block device).
// Owns:    nothing.
// Cost:    a key that is there: one hash, about 1.3 probes, one comparison; among 100,000 keys
//          stat takes 376 instructions with four encodings (callgrind). A key that is not: a binary
//          search, 1,000. Only `list` allocates; nothing waits.
// Format:  kv/crunched/table.hpp.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/task.hpp"
#include "kv/crunched/table.hpp"
#include "kv/kv.hpp"

namespace kv::crunched {

class Index {
 public:
  // `index`, aligned to index_alignment, must outlive this; CHECKs that it is this format and has
  // all its parts.
  explicit Index(base::Bytes index);

  // Laws 1 to 8 of kv/kv.hpp.
  [[nodiscard]] base::Ready<Result<Kind>> exists(Key key) const;
  [[nodiscard]] base::Ready<Result<Stat>> stat(Key key) const;
  [[nodiscard]] base::Ready<Result<std::vector<Entry>>> list(Key key) const;
  // Where a value's bytes are; `key` without a leading '/'. Errors as get's.
  [[nodiscard]] Result<const FormRecord*> form(Key key, Encoding encoding) const noexcept;

  [[nodiscard]] std::size_t file_count() const noexcept { return header_->file_count; }
  // Of the content that the forms lie in.
  [[nodiscard]] std::uint64_t content_bytes() const noexcept { return header_->content_bytes; }
  // Hexadecimal SHA-256 over every path, time and content.
  [[nodiscard]] std::string_view site_digest() const noexcept {
    return {header_->site_digest.data(), header_->site_digest.size()};
  }

 private:
  [[nodiscard]] Key key_of(const File& file) const noexcept {
    return {keys_ + file.key_offset, file.key_bytes};
  }
  [[nodiscard]] const File* find(Key key) const noexcept;
  [[nodiscard]] const FormRecord* find_form(const File& file, Encoding encoding) const noexcept;
  [[nodiscard]] const File* first_below(Key directory) const noexcept;
  [[nodiscard]] bool is_dictionary(Key key) const noexcept;
  [[nodiscard]] Error absence(Key key) const noexcept;

  const Header* header_ = nullptr;
  const File* files_ = nullptr;
  const FormRecord* forms_ = nullptr;
  const std::uint32_t* slots_ = nullptr;
  const std::byte* sets_ = nullptr;
  const char* keys_ = nullptr;
};

// What is wrong with an index that anybody may have made; empty: an Index of it keeps the laws, and
// every form lies in `content_bytes`. `index` is aligned to index_alignment. May throw
// std::bad_alloc.
[[nodiscard]] std::string_view fault_of(base::Bytes index, std::uint64_t content_bytes);

}  // namespace kv::crunched
