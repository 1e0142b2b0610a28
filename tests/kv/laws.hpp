// SPDX-License-Identifier: ISC
// tests/kv/laws.hpp: the numbered laws of kv::KvRo as functions that list what breaks them.
//
// Method: a law walks the whole content of a fixture's store (tests/kv/content.hpp) and strings
// near it. They are functions and not tests so that laws_test.cpp can ask for none on every store,
// and mutation_test.cpp for some on stores that break them.
//
// A fixture is made by Fixture(const Content&, base::Loop&) and has store(), and content(): what
// the store must show then (less than given, where a store keeps no encodings).

#pragma once

#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <set>

#include "base/loop.hpp"
#include "kv/digest.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/kv/content.hpp"

namespace kv {

// The answer of a store, whether it waits or not.
template <class T>
T answer(base::Loop&, base::Ready<T> ready) {
  return std::move(ready.value);
}
template <class T>
base::Task<void> keep(base::Task<T> task, std::optional<T>& out) {
  T result = co_await task;
  out.emplace(std::move(result));
}
template <class T>
T answer(base::Loop& loop, base::Task<T> task) {
  std::optional<T> out;
  loop.spawn(keep(std::move(task), out));
  loop.run();
  CHECK(out.has_value());
  return std::move(*out);
}

template <class Fixture>
class Laws {
 public:
  static constexpr int count = 9;

  explicit Laws(const Content& given)
      : fixture_(given, loop_), empty_(Content{}, loop_), content_(fixture_.content()) {
    for (const auto& [key, item] : content_) {
      for (std::size_t at = key.find('/'); at != Key::npos; at = key.find('/', at + 1)) {
        dictionaries_.insert(key.substr(0, at));
      }
    }
  }

  // What breaks law `number`; empty: nothing.
  std::vector<std::string> broken(int number) {
    broken_.clear();
    constexpr std::array laws{&Laws::law_1, &Laws::law_2, &Laws::law_3, &Laws::law_4, &Laws::law_5,
                              &Laws::law_6, &Laws::law_7, &Laws::law_8, &Laws::law_9};
    static_assert(laws.size() == count);
    (this->*laws[static_cast<std::size_t>(number - 1)])();
    return broken_;
  }

 private:
  static constexpr std::array<Encoding, encoding_count> encodings{
      Encoding::identity, Encoding::gzip, Encoding::br, Encoding::zstd};
  auto exists(Key key) { return answer(loop_, fixture_.store().exists(key)); }
  auto stat(Key key) { return answer(loop_, fixture_.store().stat(key)); }
  auto get(Key key, Encoding e = Encoding::identity) {
    return answer(loop_, fixture_.store().get(key, e));
  }
  auto part(Key key, Encoding e, std::uint64_t offset, std::uint64_t length) {
    return answer(loop_, fixture_.store().get_partial(key, e, offset, length));
  }
  auto list(Key key) { return answer(loop_, fixture_.store().list(key)); }

  void expect(bool holds, Key key, std::string_view what) {
    if (!holds)
      broken_.push_back("\"" + std::string(key.substr(0, 60)) + "\": " + std::string(what));
  }
  template <class T>
  static bool fails(const Result<T>& result, Error error) {
    return !result && result.error() == error;
  }
  template <class T>
  static std::optional<Error> error_of(const Result<T>& result) {
    return result ? std::nullopt : std::optional(result.error());
  }
  static std::string_view text(const auto& value) {
    return base::text_of(static_cast<Bytes>(value));
  }
  static const std::string* bytes_of(const Item& item, Encoding e) {
    if (e == Encoding::identity) return &item.identity;
    auto at = item.encoded.find(e);
    return at == item.encoded.end() ? nullptr : &at->second;
  }

  // Every key that is there, and strings near them that are not.
  std::vector<std::string> probes() const {
    std::vector<std::string> keys{"",     "nothing", "a/nothing",  "A-B", "inde", "index.htm",
                                  "a/b-", "a\xc3",   "a\xc3\xa9/", "zzz", "\xff", "a/\xc0\xaf"};
    for (const auto& [key, item] : content_) keys.push_back(key);
    for (const std::string& key : dictionaries_) keys.push_back(key);
    return keys;
  }
  // Strings that are no normal keys, or lie below a value: not_found, everywhere.
  std::vector<std::string> strangers() const {
    using std::string_literals::operator""s;
    std::vector<std::string> keys{"//",
                                  ".",
                                  "..",
                                  "../x",
                                  "../../../../etc/passwd",
                                  "/..",
                                  "\0"s,
                                  "./",
                                  "../",
                                  "etc/passwd",
                                  "/./",
                                  "a/.",
                                  "a/..",
                                  "a//b",
                                  "//etc/passwd",
                                  "..\\x",
                                  std::string(5000, 'x'),
                                  std::string(5000, '/')};
    auto add_near = [&keys](const std::string& key) {
      for (const std::string& near :
           {key + '/', "//" + key, "./" + key, "x/../" + key, key + "/.", key + "/..",
            key + "/../" + key, key + '\0', "../" + key, key + "//"}) {
        keys.push_back(near);
      }
    };
    for (const auto& [key, item] : content_) {
      add_near(key);
      keys.push_back(key + "/x");
      keys.push_back(key + "/x/y");
    }
    for (const std::string& key : dictionaries_) add_near(key);
    return keys;
  }

  void law_1() {
    for (const std::string& key : probes()) {
      std::string slashed = '/' + key;
      expect(exists(key) == exists(slashed), key, "exists differs behind a slash");
      expect(list(key) == list(slashed), key, "list differs behind a slash");
      auto plain_stat = stat(key);
      auto slashed_stat = stat(slashed);
      expect(error_of(plain_stat) == error_of(slashed_stat), key, "stat differs behind a slash");
      auto plain = get(key);
      auto behind = get(slashed);
      expect(error_of(plain) == error_of(behind), key, "get differs behind a slash");
      if (plain && behind)
        expect(text(*plain) == text(*behind), key, "bytes differ behind a slash");
    }
  }

  void law_2() {
    expect(exists("") == Kind::dictionary, "", "the root is no dictionary");
    for (const auto& [key, item] : content_) {
      expect(exists(key) == Kind::value, key, "is no value");
    }
    for (const std::string& key : dictionaries_) {
      expect(exists(key) == Kind::dictionary, key, "is no dictionary");
    }
    for (const auto& keys : {probes(), strangers()}) {
      for (const std::string& key : keys) {
        auto kind = exists(key);
        expect((kind == Kind::value) == stat(key).has_value(), key, "exists and stat disagree");
        expect((kind == Kind::value) == get(key).has_value(), key, "exists and get disagree");
        expect((kind == Kind::dictionary) == list(key).has_value(), key,
               "exists and list disagree");
      }
    }
    auto kind = answer(loop_, empty_.store().exists(""));
    expect(kind == Kind::dictionary, "", "the root of an empty store is no dictionary");
    auto entries = answer(loop_, empty_.store().list(""));
    expect(entries && entries->size() == empty_.content().size(), "", "an empty store is not");
  }

  void law_3() {
    std::set<std::string> keys = dictionaries_;
    keys.insert("");
    for (const std::string& key : keys) {
      expect(fails(stat(key), Error::value_expected), key, "stat of a dictionary");
      for (Encoding e : encodings) {
        expect(fails(get(key, e), Error::value_expected), key, "get of a dictionary");
        expect(fails(part(key, e, 0, 1), Error::value_expected), key, "a part of a dictionary");
      }
    }
    for (const auto& [key, item] : content_) {
      expect(fails(list(key), Error::dictionary_expected), key, "list of a value");
    }
  }

  void law_4() {
    for (const std::string& key : strangers()) {
      expect(fails(exists(key), Error::not_found), key, "exists");
      expect(fails(stat(key), Error::not_found), key, "has a stat");
      expect(fails(get(key), Error::not_found), key, "can be got");
      expect(fails(part(key, Encoding::identity, 0, 1), Error::not_found), key, "has parts");
      expect(fails(list(key), Error::not_found), key, "can be listed");
    }
  }

  void law_5() {
    for (const auto& [key, item] : content_) {
      auto known = stat(key);
      expect(known.has_value(), key, "has no stat");
      if (!known) continue;
      for (Encoding e : encodings) {
        const std::string* bytes = bytes_of(item, e);
        auto value = get(key, e);
        expect(known->has(e) == (bytes != nullptr), key, name_of(e));
        if (bytes == nullptr) {
          expect(fails(value, Error::not_found), key, "get of an encoding that stat lacks");
          expect(fails(part(key, e, 0, 1), Error::not_found), key, "a part of what stat lacks");
          continue;
        }
        expect(known->form(e).size_bytes == bytes->size(), key, "stat's size is not the content's");
        expect(value && text(*value) == *bytes, key, "get is not the content");
      }
    }
  }

  void law_6() {
    constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [key, item] : content_) {
      for (Encoding e : encodings) {
        const std::string* bytes = bytes_of(item, e);
        if (bytes == nullptr) continue;
        const std::uint64_t size = bytes->size();
        for (std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1}, size / 2, size - 1, size,
                                     size + 1, std::uint64_t{1} << 63U, max}) {
          for (std::uint64_t length :
               {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, size, size + 1, max}) {
            auto value = part(key, e, offset, length);
            std::string_view expected;
            if (offset < size) expected = std::string_view(*bytes).substr(offset, length);
            expect(value && text(*value) == expected, key,
                   std::to_string(offset) + " + " + std::to_string(length));
          }
        }
      }
    }
  }

  void law_7() {
    std::map<Digest, std::string> bytes_by_digest;
    for (const auto& [key, item] : content_) {
      auto known = stat(key);
      expect(known && known->has(Encoding::identity), key, "has no identity");
      if (!known) continue;
      for (Encoding e : encodings) {
        auto value = get(key, e);
        if (!value || !known->has(e)) continue;
        std::string bytes(text(*value));
        auto [at, is_new] = bytes_by_digest.try_emplace(known->form(e).digest, bytes);
        expect(is_new || at->second == bytes, key, "another value has its digest");
        expect(known->form(e).digest == digest_of(base::bytes_of(bytes)), key,
               "the digest is not the SHA-256's first half");
      }
    }
  }

  void law_8() {
    std::set<std::string> keys = dictionaries_;
    keys.insert("");
    for (const std::string& key : keys) {
      std::map<std::string, Kind> expected;
      std::string prefix = key.empty() ? "" : key + '/';
      for (const auto& [found, item] : content_) {
        if (!found.starts_with(prefix)) continue;
        std::size_t end = found.find('/', prefix.size());
        expected[found.substr(prefix.size(), end - prefix.size())] =
            end == Key::npos ? Kind::value : Kind::dictionary;
      }
      std::vector<Entry> sorted;
      for (const auto& [name, kind] : expected) sorted.push_back({name, kind});
      auto entries = list(key);
      expect(entries && *entries == sorted, key, "the list is not the sorted names");
    }
  }

  void law_9() {
    using Value = std::decay_t<decltype(*get(""))>;
    std::vector<std::pair<Value, std::string>> held;
    std::vector<const std::byte*> places;
    for (const auto& [key, item] : content_) {
      auto value = get(key);
      if (!value) continue;
      std::string bytes(text(*value));
      held.emplace_back(std::move(*value), std::move(bytes));
    }
    for (const auto& [value, bytes] : held) places.push_back(static_cast<Bytes>(value).data());
    for (const std::string& key : probes()) {
      static_cast<void>(stat(key));
      static_cast<void>(get(key));
      static_cast<void>(list(key));
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
      expect(text(held[i].first) == held[i].second, held[i].second, "a value's bytes changed");
      expect(static_cast<Bytes>(held[i].first).data() == places[i], held[i].second, "bytes moved");
    }
  }

  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  Fixture fixture_;
  Fixture empty_;
  Content content_;
  std::set<std::string> dictionaries_;
  std::vector<std::string> broken_;
};

}  // namespace kv
