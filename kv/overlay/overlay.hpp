// SPDX-License-Identifier: ISC
// kv/overlay/overlay.hpp: one store over another; where both have a name, the upper one wins.
//
// Models:  kv::KvRo, over any two.   Owns: nothing; both stores outlive it.
//
// Laws beyond kv/kv.hpp's (tests/kv/overlay_test.cpp, by number):
//    1. A name means what the upper store says, if it says anything: its value hides the lower
//       one's value in every encoding, or the lower one's dictionary with all that is below it;
//       its dictionary hides the lower one's value.
//    2. Two dictionaries of one name are one, which lists the names of both.
//    3. When the upper store is unavailable, so is the overlay: it does not guess.
// Cost:    answers are Tasks, for either store may wait. A key of the upper store costs one call,
//          one of the lower store a call for each of its segments.

#pragma once

#include <algorithm>
#include <iterator>
#include <variant>

#include "kv/key.hpp"
#include "kv/kv.hpp"
#include "kv/reading.hpp"

namespace kv {

template <KvRo Upper, KvRo Lower>
class Overlay {
 public:
  class Value {
   public:
    explicit Value(typename Upper::Value value) : held_(std::in_place_index<0>, std::move(value)) {}
    Value(std::in_place_index_t<1> lower, typename Lower::Value value)
        : held_(lower, std::move(value)) {}
    operator Bytes() const {
      if (held_.index() == 0) return static_cast<Bytes>(*std::get_if<0>(&held_));
      return static_cast<Bytes>(*std::get_if<1>(&held_));
    }

   private:
    std::variant<typename Upper::Value, typename Lower::Value> held_;
  };
  static constexpr bool values_last = Upper::values_last && Lower::values_last;
  static constexpr std::uint64_t piece_bytes_max =
      std::min<std::uint64_t>(Upper::piece_bytes_max, Lower::piece_bytes_max);

  // Both stores' (kv/reading.hpp).
  struct Reading {
    [[no_unique_address]] kv::Reading<Upper> upper;
    [[no_unique_address]] kv::Reading<Lower> lower;
  };

  Overlay(Upper& upper, Lower& lower) : upper_(upper), lower_(lower) {}

  [[nodiscard]] Reading reading() { return {begin_reading(upper_), begin_reading(lower_)}; }

  [[nodiscard]] base::Task<Result<Kind>> exists(Key key) {
    Result<Kind> above = co_await upper_.exists(key);
    if (above || above.error() != Error::not_found) co_return above;
    Result<void> open = co_await open_below(key);
    if (!open) co_return base::failure(open.error());
    Result<Kind> below = co_await lower_.exists(key);
    co_return below;
  }

  [[nodiscard]] base::Task<Result<Stat>> stat(Key key) {
    Reading once = reading();
    Result<Stat> known = co_await stat(once, key);
    co_return known;
  }

  // `reading` lives until the answer is there; here and below.
  [[nodiscard]] base::Task<Result<Stat>> stat(Reading& reading, Key key) {
    Result<Stat> above = co_await kv::stat(upper_, reading.upper, key);
    if (above || above.error() != Error::not_found) co_return above;
    Result<void> open = co_await open_below(key);
    if (!open) co_return base::failure(open.error());
    Result<Stat> below = co_await kv::stat(lower_, reading.lower, key);
    co_return below;
  }

  [[nodiscard]] base::Task<Result<Value>> get(Key key, Encoding encoding) {
    Result<typename Upper::Value> above = co_await upper_.get(key, encoding);
    if (above) co_return Value(std::move(*above));
    if (above.error() != Error::not_found) co_return base::failure(above.error());
    Result<void> open = co_await open_for_value(key);
    if (!open) co_return base::failure(open.error());
    Result<typename Lower::Value> below = co_await lower_.get(key, encoding);
    if (!below) co_return base::failure(below.error());
    co_return Value(std::in_place_index<1>, std::move(*below));
  }

  [[nodiscard]] base::Task<Result<Value>> get_partial(Key key, Encoding encoding,
                                                      std::uint64_t offset, std::uint64_t length) {
    Reading once = reading();
    Result<Value> value = co_await get_partial(once, key, encoding, offset, length);
    co_return value;
  }

  [[nodiscard]] base::Task<Result<Value>> get_partial(Reading& reading, Key key, Encoding encoding,
                                                      std::uint64_t offset, std::uint64_t length) {
    Result<typename Upper::Value> above =
        co_await kv::get_partial(upper_, reading.upper, key, encoding, offset, length);
    if (above) co_return Value(std::move(*above));
    if (above.error() != Error::not_found) co_return base::failure(above.error());
    Result<void> open = co_await open_for_value(key);
    if (!open) co_return base::failure(open.error());
    Result<typename Lower::Value> below =
        co_await kv::get_partial(lower_, reading.lower, key, encoding, offset, length);
    if (!below) co_return base::failure(below.error());
    co_return Value(std::in_place_index<1>, std::move(*below));
  }

  [[nodiscard]] base::Task<Result<std::vector<Entry>>> list(Key key) {
    Result<std::vector<Entry>> above = co_await upper_.list(key);
    if (!above && above.error() != Error::not_found) co_return above;
    if (!above) {
      Result<void> open = co_await open_below(key);
      if (!open) co_return base::failure(open.error());
    }
    Result<std::vector<Entry>> below = co_await lower_.list(key);
    if (!above) co_return below;
    if (!below) {
      if (below.error() == Error::unavailable) co_return below;
      co_return above;
    }
    co_return merged(std::move(*above), std::move(*below));
  }

 private:
  // Fails with not_found where a value of the upper store stands above `key`.
  base::Task<Result<void>> open_below(Key key) {
    key = without_slash(key);  // only here: the stores do it themselves, and "//a" is no key
    for (std::size_t end = key.find('/'); end != Key::npos; end = key.find('/', end + 1)) {
      Result<Kind> kind = co_await upper_.exists(key.substr(0, end));
      if (kind && *kind == Kind::value) co_return base::failure(Error::not_found);
      if (!kind && kind.error() == Error::unavailable) co_return base::failure(kind.error());
    }
    co_return Result<void>();
  }

  // The same for a get: a value of the upper store that lacks the encoding hides the lower one's.
  base::Task<Result<void>> open_for_value(Key key) {
    Result<Kind> kind = co_await upper_.exists(key);
    if (kind) co_return base::failure(Error::not_found);
    if (kind.error() != Error::not_found) co_return base::failure(kind.error());
    Result<void> open = co_await open_below(key);
    co_return open;
  }

  // Both are sorted by name; of two entries with one name the upper store's stays.
  static std::vector<Entry> merged(std::vector<Entry> above, std::vector<Entry> below) {
    std::vector<Entry> both;
    both.reserve(above.size() + below.size());
    std::ranges::merge(above, below, std::back_inserter(both), {}, &Entry::name, &Entry::name);
    auto same_name = std::ranges::unique(both, {}, &Entry::name);
    both.erase(same_name.begin(), same_name.end());
    return both;
  }

  Upper& upper_;
  Lower& lower_;
};

}  // namespace kv
