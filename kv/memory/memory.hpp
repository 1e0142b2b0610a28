// SPDX-License-Identifier: ISC
// kv/memory/memory.hpp: a store that a program fills, for tests and small content.
//
// Models:  kv::KvRo.   Owns: copies of what was put.
// Law 9:   `put` over a value that a caller still holds does not touch that one: a Value shares
//          its bytes. So values do not last as long as the store.

#pragma once

#include <limits>
#include <map>
#include <memory>

#include "kv/field_pool.hpp"
#include "kv/kv.hpp"

namespace kv {

class Memory {
 public:
  class Value {
   public:
    Value() = default;
    operator Bytes() const noexcept { return part_; }

   private:
    friend class Memory;
    Value(std::shared_ptr<const std::string> whole, Bytes part)
        : whole_(std::move(whole)), part_(part) {}
    std::shared_ptr<const std::string> whole_;
    Bytes part_;
  };
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = std::numeric_limits<std::uint64_t>::max();

  // Puts a value, in place of what `key` held in every encoding. CHECKs that the key is normal, not
  // the root, and that no value's key lies below another's.
  void put(Key key, Bytes bytes, std::int64_t modified_s = 0);
  void put(Key key, std::string_view text, std::int64_t modified_s = 0) {
    put(key, base::bytes_of(text), modified_s);
  }
  // Adds another representation of a value that was put.
  void put_form(Key key, Encoding encoding, Bytes bytes);
  // Sets Form::head of a representation that was put.
  void put_head(Key key, Encoding encoding, const HeadFields& fields);
  // False: there was no such value.
  bool remove(Key key);

  [[nodiscard]] base::Ready<Result<Kind>> exists(Key key) const;
  [[nodiscard]] base::Ready<Result<Stat>> stat(Key key) const;
  [[nodiscard]] base::Ready<Result<Value>> get(Key key, Encoding encoding) const;
  [[nodiscard]] base::Ready<Result<Value>> get_partial(Key key, Encoding encoding,
                                                       std::uint64_t offset,
                                                       std::uint64_t length) const;
  [[nodiscard]] base::Ready<Result<std::vector<Entry>>> list(Key key) const;

 private:
  struct Held {
    Stat stat;  // whose heads point into `heads`
    std::array<std::shared_ptr<const std::string>, encoding_count> bytes;
    std::array<std::shared_ptr<const StoredHead>, encoding_count> heads;
  };
  [[nodiscard]] bool is_dictionary(Key key) const;
  [[nodiscard]] Result<const Held*> find(Key key) const;

  std::map<std::string, Held, std::less<>> values_;
  // Form::head lives as long as the store, so heads that were replaced are kept.
  std::vector<std::shared_ptr<const StoredHead>> old_heads_;
};

static_assert(KvRo<Memory>);

}  // namespace kv
