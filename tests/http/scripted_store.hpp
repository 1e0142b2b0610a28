// SPDX-License-Identifier: ISC
// tests/http/scripted_store.hpp: a store whose every value, encoding and failure a test says.
//
// Models:  kv::KvRo, in two ways: ScriptedStore never waits and lends its bytes; WaitingStore is
//          the same store read over a slow medium: every call waits, values are copies, and are
//          read by pieces.

#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/loop.hpp"
#include "kv/kv.hpp"

namespace http_test {

struct ScriptedValue {
  std::int64_t modified_s = 0;
  std::map<kv::Encoding, std::string> forms;
};

class ScriptedStore {
 public:
  using Value = kv::Bytes;
  static constexpr bool values_last = true;
  static constexpr std::uint64_t piece_bytes_max = ~std::uint64_t{0};

  void put(std::string key, std::string bytes, std::int64_t modified_s) {
    values_[std::move(key)] = {modified_s, {{kv::Encoding::identity, std::move(bytes)}}};
  }
  void put_encoding(const std::string& key, kv::Encoding encoding, std::string bytes) {
    values_[key].forms[encoding] = std::move(bytes);
  }
  // The calls from number `first` on (1 is the next one) fail; 0: none.
  void fail_from(std::uint64_t first) { fail_in_ = first; }
  std::uint64_t calls = 0;

  base::Ready<kv::Result<kv::Kind>> exists(kv::Key key) {
    if (values_.contains(key)) return {kv::Kind::value};
    if (is_dictionary(key)) return {kv::Kind::dictionary};
    return {base::failure(kv::Error::not_found)};
  }
  base::Ready<kv::Result<kv::Stat>> stat(kv::Key key) { return {stat_now(key)}; }
  base::Ready<kv::Result<Value>> get(kv::Key key, kv::Encoding encoding) {
    return {get_now(key, encoding, 0, ~std::uint64_t{0})};
  }
  base::Ready<kv::Result<Value>> get_partial(kv::Key key, kv::Encoding encoding,
                                             std::uint64_t offset, std::uint64_t length) {
    return {get_now(key, encoding, offset, length)};
  }
  base::Ready<kv::Result<std::vector<kv::Entry>>> list(kv::Key) {
    return {base::failure(kv::Error::not_found)};
  }

  kv::Result<kv::Stat> stat_now(kv::Key key) {
    if (fails()) return base::failure(kv::Error::unavailable);
    auto at = values_.find(key);
    if (at == values_.end()) return base::failure(absence(key));
    kv::Stat stat;
    stat.modified_s = at->second.modified_s;
    for (const auto& [encoding, bytes] : at->second.forms) {
      stat.set(encoding, {bytes.size(), digest_of(bytes), {}});
    }
    return stat;
  }
  kv::Result<Value> get_now(kv::Key key, kv::Encoding encoding, std::uint64_t offset,
                            std::uint64_t length) {
    if (fails()) return base::failure(kv::Error::unavailable);
    auto at = values_.find(key);
    if (at == values_.end()) return base::failure(absence(key));
    auto form = at->second.forms.find(encoding);
    if (form == at->second.forms.end()) return base::failure(kv::Error::not_found);
    kv::Bytes bytes = base::bytes_of(form->second);
    std::size_t from = std::min<std::uint64_t>(offset, bytes.size());
    return bytes.subspan(from, std::min<std::uint64_t>(length, bytes.size() - from));
  }

 private:
  bool fails() {
    ++calls;
    return fail_in_ != 0 && (fail_in_ == 1 || --fail_in_ == 0);
  }
  bool is_dictionary(kv::Key key) const {
    if (key.empty()) return true;
    for (auto at = values_.lower_bound(key); at != values_.end(); ++at) {
      if (!at->first.starts_with(key)) return false;
      if (at->first.size() > key.size() && at->first[key.size()] == '/') return true;
    }
    return false;
  }
  kv::Error absence(kv::Key key) const {
    return is_dictionary(key) ? kv::Error::value_expected : kv::Error::not_found;
  }
  // FNV-1a, four times: strong enough where nobody attacks.
  static kv::Digest digest_of(std::string_view bytes) {
    kv::Digest digest{};
    for (std::size_t i = 0; i < 2; ++i) {
      std::uint64_t hash = 14695981039346656037ULL + i;
      for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
      for (std::size_t j = 0; j < 16; ++j) {
        digest[i * 16 + j] = "0123456789abcdef"[(hash >> (4 * j)) & 15];
      }
    }
    return digest;
  }

  std::map<std::string, ScriptedValue, std::less<>> values_;
  std::uint64_t fail_in_ = 0;
};
static_assert(kv::KvRo<ScriptedStore>);

// A Value of its own: movable, not copyable.
struct OwnedValue {
  std::string bytes;
  explicit OwnedValue(kv::Bytes from) : bytes(base::text_of(from)) {}
  OwnedValue(OwnedValue&&) = default;
  OwnedValue& operator=(OwnedValue&&) = default;
  operator kv::Bytes() const { return base::bytes_of(bytes); }  // NOLINT: as the concept has it
};

class WaitingStore {
 public:
  using Value = OwnedValue;
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = 7000;

  explicit WaitingStore(base::Loop& loop) : loop_(loop) {}
  ScriptedStore site;

  base::Task<kv::Result<kv::Kind>> exists(kv::Key key) {
    co_await loop_.sleep_for(base::Duration(1));
    auto kind = site.exists(key);
    co_return kind.value;
  }
  base::Task<kv::Result<kv::Stat>> stat(kv::Key key) {
    co_await loop_.sleep_for(base::Duration(1));
    co_return site.stat_now(key);
  }
  base::Task<kv::Result<Value>> get(kv::Key key, kv::Encoding encoding) {
    return get_partial(key, encoding, 0, ~std::uint64_t{0});
  }
  base::Task<kv::Result<Value>> get_partial(kv::Key key, kv::Encoding encoding,
                                            std::uint64_t offset, std::uint64_t length) {
    co_await loop_.sleep_for(base::Duration(1));
    kv::Result<kv::Bytes> bytes = site.get_now(key, encoding, offset, length);
    if (!bytes) co_return base::failure(bytes.error());
    co_return OwnedValue(*bytes);
  }
  base::Task<kv::Result<std::vector<kv::Entry>>> list(kv::Key) {
    co_return base::failure(kv::Error::not_found);
  }

 private:
  base::Loop& loop_;
};
static_assert(kv::KvRo<WaitingStore>);

}  // namespace http_test
