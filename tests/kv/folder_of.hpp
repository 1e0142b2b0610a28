// SPDX-License-Identifier: ISC
// tests/kv/folder_of.hpp: one folder of a store, as a store: the example of docs/adding-a-store.md.
//
// Models:  kv::KvRo, over any other.   Owns: the folder's key; the store outlives it.
// Cost:    one allocation for each call, for the longer key, and the call of the other store.

#pragma once

#include <string>
#include <utility>

#include "kv/key.hpp"
#include "kv/kv.hpp"
#include "kv/memory/memory.hpp"

namespace kv {

template <KvRo Store>
class FolderOf {
 public:
  using Value = typename Store::Value;
  static constexpr bool values_last = Store::values_last;
  static constexpr std::uint64_t piece_bytes_max = Store::piece_bytes_max;

  // `folder` is a normal key, not the root.
  FolderOf(Store& store, std::string folder) : store_(store), folder_(std::move(folder)) {}

  [[nodiscard]] base::Task<Result<Kind>> exists(Key key) {
    const std::string whole = whole_key(key);
    Result<Kind> found = co_await store_.exists(whole);
    // Law 2: the root is a dictionary, even if nothing is in it.
    if (!found && found.error() == Error::not_found && whole == folder_) {
      co_return Kind::dictionary;
    }
    co_return found;
  }
  [[nodiscard]] base::Task<Result<Stat>> stat(Key key) {
    const std::string whole = whole_key(key);
    Result<Stat> found = co_await store_.stat(whole);
    co_return as_root(whole, std::move(found));
  }
  [[nodiscard]] base::Task<Result<Value>> get(Key key, Encoding encoding) {
    const std::string whole = whole_key(key);
    Result<Value> found = co_await store_.get(whole, encoding);
    co_return as_root(whole, std::move(found));
  }
  [[nodiscard]] base::Task<Result<Value>> get_partial(Key key, Encoding encoding,
                                                      std::uint64_t offset, std::uint64_t count) {
    const std::string whole = whole_key(key);
    Result<Value> found = co_await store_.get_partial(whole, encoding, offset, count);
    co_return as_root(whole, std::move(found));
  }
  [[nodiscard]] base::Task<Result<std::vector<Entry>>> list(Key key) {
    const std::string whole = whole_key(key);
    Result<std::vector<Entry>> found = co_await store_.list(whole);
    if (!found && found.error() == Error::not_found && whole == folder_) {
      co_return std::vector<Entry>();
    }
    co_return found;
  }

 private:
  // Law 1: a leading '/' is ignored. What is not normal stays so, and the store refuses it (law 4).
  [[nodiscard]] std::string whole_key(Key key) const {
    key = without_slash(key);
    return key.empty() ? folder_ : folder_ + "/" + std::string(key);
  }
  // Law 3: the root is no value, even if nothing is in it.
  template <class T>
  [[nodiscard]] Result<T> as_root(const std::string& whole, Result<T> found) const {
    if (!found && found.error() == Error::not_found && whole == folder_) {
      return base::failure(Error::value_expected);
    }
    return found;
  }

  Store& store_;
  std::string folder_;
};

static_assert(KvRo<FolderOf<Memory>>);

}  // namespace kv
