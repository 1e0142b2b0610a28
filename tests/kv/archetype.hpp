// SPDX-License-Identifier: ISC
// tests/kv/archetype.hpp: the least that is a KvRo, once at hand and once waiting.
//
// States:  Archetype, WaitingArchetype, Flaw.   Used by: every test that instantiates a template
//          over kv::KvRo: what compiles on these uses nothing but the concept. Their members are
//          not const, a Value can only be moved and seen as Bytes.
// Flaws:   an Archetype can break a law on purpose; tests/kv/mutation_test.cpp sees to it that the
//          law's test notices.

#pragma once

#include <algorithm>
#include <limits>
#include <memory>

#include "base/loop.hpp"
#include "kv/digest.hpp"
#include "kv/key.hpp"
#include "tests/kv/content.hpp"

namespace kv {

enum class Flaw {
  none,
  keeps_leading_slash,       // law 1
  root_missing_when_empty,   // law 2
  exists_not_stat,           // law 2
  dictionary_not_found,      // law 3
  list_of_value_not_found,   // law 3
  trailing_slash_ignored,    // law 4
  below_value_is_value,      // law 4
  dot_segments_resolved,     // law 4
  size_of_identity,          // law 5
  falls_back_to_identity,    // law 5
  error_past_the_end,        // law 6
  sum_overflows,             // law 6
  one_digest_for_all,        // law 7
  no_identity,               // law 7
  list_in_order_of_keys,     // law 8
  list_names_twice,          // law 8
  list_of_whole_keys,        // law 8
  list_misses_dictionaries,  // law 8
  values_share_a_buffer,     // law 9
};

class Archetype {
 public:
  class Value {
   public:
    explicit Value(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
    Value(Value&&) = default;
    Value& operator=(Value&&) = default;
    operator Bytes() const { return base::bytes_of(*bytes_); }

   private:
    std::shared_ptr<const std::string> bytes_;
  };
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = 1000;

  explicit Archetype(Content content, Flaw flaw = Flaw::none)
      : content_(std::move(content)), flaw_(flaw) {}

  base::Ready<Result<Kind>> exists(Key key) { return {kind_of(strip(key))}; }

  base::Ready<Result<Stat>> stat(Key key) {
    key = strip(key);
    Result<const Item*> item = find(key);
    if (!item) return {base::failure(item.error())};
    if (flaw_ == Flaw::exists_not_stat && key == "ab") return {base::failure(Error::not_found)};
    Stat stat;
    stat.modified_s = 1'600'000'000;
    if (flaw_ != Flaw::no_identity) stat.set(Encoding::identity, form_of((*item)->identity));
    for (const auto& [encoding, bytes] : (*item)->encoded) {
      Form form = form_of(bytes);
      if (flaw_ == Flaw::size_of_identity) form.size_bytes = (*item)->identity.size();
      stat.set(encoding, form);
    }
    return {stat};
  }

  base::Ready<Result<Value>> get(Key key, Encoding encoding) {
    return get_partial(key, encoding, 0, std::numeric_limits<std::uint64_t>::max());
  }

  base::Ready<Result<Value>> get_partial(Key key, Encoding encoding, std::uint64_t offset,
                                         std::uint64_t length) {
    Result<const Item*> item = find(strip(key));
    if (!item) return {base::failure(item.error())};
    const std::string* whole = &(*item)->identity;
    if (encoding != Encoding::identity && flaw_ != Flaw::falls_back_to_identity) {
      auto at = (*item)->encoded.find(encoding);
      if (at == (*item)->encoded.end()) return {base::failure(Error::not_found)};
      whole = &at->second;
    }
    if (flaw_ == Flaw::error_past_the_end && offset > whole->size()) {
      return {base::failure(Error::unavailable)};
    }
    Bytes part = part_of(base::bytes_of(*whole), offset, length);
    if (flaw_ == Flaw::sum_overflows && offset + length < offset) part = {};
    std::string copy(base::text_of(part));
    if (flaw_ == Flaw::values_share_a_buffer) {
      *shared_ = copy;
      return {Value(shared_)};
    }
    return {Value(std::make_shared<const std::string>(std::move(copy)))};
  }

  base::Ready<Result<std::vector<Entry>>> list(Key key) {
    key = strip(key);
    Result<Kind> kind = kind_of(key);
    if (!kind) return {base::failure(kind.error())};
    if (*kind == Kind::value) {
      return {base::failure(flaw_ == Flaw::list_of_value_not_found ? Error::not_found
                                                                   : Error::dictionary_expected)};
    }
    return {names_in(key)};
  }

 private:
  Key strip(Key key) const {
    if (flaw_ != Flaw::keeps_leading_slash) key = without_slash(key);
    if (flaw_ == Flaw::trailing_slash_ignored && key.ends_with('/')) key.remove_suffix(1);
    if (flaw_ == Flaw::dot_segments_resolved && key.starts_with("./")) key.remove_prefix(2);
    if (flaw_ == Flaw::below_value_is_value && key.ends_with("/x")) key.remove_suffix(2);
    return key;
  }

  Result<Kind> kind_of(Key key) const {
    if (content_.contains(std::string(key))) return Kind::value;
    if (key.empty() && !(flaw_ == Flaw::root_missing_when_empty && content_.empty())) {
      return Kind::dictionary;
    }
    std::string prefix = std::string(key) + '/';
    auto at = content_.lower_bound(prefix);
    if (at != content_.end() && at->first.starts_with(prefix)) return Kind::dictionary;
    return base::failure(Error::not_found);
  }

  Result<const Item*> find(Key key) const {
    auto at = content_.find(std::string(key));
    if (at != content_.end()) return &at->second;
    Result<Kind> kind = kind_of(key);
    bool is_dictionary = kind && flaw_ != Flaw::dictionary_not_found;
    return base::failure(is_dictionary ? Error::value_expected : Error::not_found);
  }

  Form form_of(const std::string& bytes) const {
    bool same = flaw_ == Flaw::one_digest_for_all;
    return {bytes.size(), digest_of(base::bytes_of(same ? "" : bytes)), {}};
  }

  std::vector<Entry> names_in(Key key) const {
    std::string prefix = key.empty() ? "" : std::string(key) + '/';
    std::vector<Entry> entries;
    for (const auto& [name, item] : content_) {
      if (!name.starts_with(prefix)) continue;
      Key rest = Key(name).substr(prefix.size());
      Key segment = take_segment(rest);
      Entry entry{std::string(segment), rest.empty() ? Kind::value : Kind::dictionary};
      if (flaw_ == Flaw::list_of_whole_keys) entry.name = prefix + entry.name;
      if (flaw_ == Flaw::list_misses_dictionaries && entry.kind == Kind::dictionary) continue;
      if (entries.empty() || entries.back() != entry || flaw_ == Flaw::list_names_twice) {
        entries.push_back(entry);
      }
    }
    if (flaw_ != Flaw::list_in_order_of_keys) std::ranges::sort(entries, {}, &Entry::name);
    return entries;
  }

  Content content_;
  Flaw flaw_;
  std::shared_ptr<std::string> shared_ = std::make_shared<std::string>();
};

static_assert(KvRo<Archetype>);

// The same, but each answer comes a moment later.
class WaitingArchetype {
 public:
  using Value = Archetype::Value;
  static constexpr bool values_last = Archetype::values_last;
  static constexpr std::uint64_t piece_bytes_max = Archetype::piece_bytes_max;

  WaitingArchetype(base::Loop& loop, Content content) : loop_(loop), store_(std::move(content)) {}

  base::Task<Result<Kind>> exists(Key key) {
    co_await loop_.sleep_for(moment);
    co_return base::run_now(store_.exists(key));
  }
  base::Task<Result<Stat>> stat(Key key) {
    co_await loop_.sleep_for(moment);
    co_return base::run_now(store_.stat(key));
  }
  base::Task<Result<Value>> get(Key key, Encoding encoding) {
    co_await loop_.sleep_for(moment);
    co_return base::run_now(store_.get(key, encoding));
  }
  base::Task<Result<Value>> get_partial(Key key, Encoding encoding, std::uint64_t offset,
                                        std::uint64_t length) {
    co_await loop_.sleep_for(moment);
    co_return base::run_now(store_.get_partial(key, encoding, offset, length));
  }
  base::Task<Result<std::vector<Entry>>> list(Key key) {
    co_await loop_.sleep_for(moment);
    co_return base::run_now(store_.list(key));
  }

 private:
  static constexpr base::Duration moment = std::chrono::microseconds(1);
  base::Loop& loop_;
  Archetype store_;
};

static_assert(KvRo<WaitingArchetype>);

}  // namespace kv
