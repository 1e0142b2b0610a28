// SPDX-License-Identifier: ISC
// kv/field_pool.hpp: makes the sets of fields that kv/fields.hpp describes.
//
// States:      FieldPool, StoredHead.   Used by: stores when they are filled, crunch.
// Errors:      everything here may throw std::bad_alloc.
// May include: base, kv/fields.hpp.

#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "kv/fields.hpp"

namespace kv {

using OwnedFields = std::vector<std::pair<std::string, std::string>>;

// The fields of a Head.
struct HeadFields {
  OwnedFields validators, type, middle, length, fields;
};

// Sets one after another; equal ones are there once.
class FieldPool {
 public:
  FieldPool() = default;
  FieldPool(const FieldPool&) = delete;
  FieldPool& operator=(const FieldPool&) = delete;

  // Throws std::length_error if a name or a value has more than 65,535 bytes, or all sets more than
  // 4 GiB.
  Head::Offset add(const OwnedFields& fields);
  // `sets` is to be set once all were added.
  [[nodiscard]] Head add(const HeadFields& fields);
  [[nodiscard]] base::Bytes bytes() const noexcept { return bytes_; }
  // One set as it is stored, zeros behind it included.
  [[nodiscard]] base::Bytes set_at(Head::Offset offset) const noexcept;

 private:
  // Of sets by what is stored, so that a set that is sought is stored first: a large site has
  // millions, and none is kept twice.
  struct ByContent {
    const FieldPool* pool;
    std::size_t operator()(Head::Offset set) const noexcept;
    bool operator()(Head::Offset one, Head::Offset other) const noexcept;
  };

  std::vector<std::byte> bytes_ = std::vector<std::byte>(sizeof(Fields::Start));
  std::unordered_set<Head::Offset, ByContent, ByContent> known_{0, ByContent{this},
                                                                ByContent{this}};
};

// A head on its own.
class StoredHead {
 public:
  explicit StoredHead(const HeadFields& fields) : head_(pool_.add(fields)) {
    head_.sets = pool_.bytes().data();
  }
  StoredHead(const StoredHead&) = delete;
  StoredHead& operator=(const StoredHead&) = delete;
  [[nodiscard]] const Head& head() const noexcept { return head_; }

 private:
  FieldPool pool_;
  Head head_;
};

}  // namespace kv
