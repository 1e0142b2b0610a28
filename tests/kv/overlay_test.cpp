// SPDX-License-Identifier: ISC
// tests/kv/overlay_test.cpp: the laws of kv::Overlay beyond those of every store, by number.
//
// Method: tables of what two stores hold and what the overlay must answer; a store that is
// unavailable at chosen keys stands for a medium that fails.

#include "kv/overlay/overlay.hpp"

#include <gtest/gtest.h>

#include "kv/memory/memory.hpp"

namespace {

using kv::Encoding;
using kv::Entry;
using kv::Error;
using kv::Kind;
using kv::Memory;

// Unavailable for `down` and everything below it.
class Failing {
 public:
  using Value = Memory::Value;
  static constexpr bool values_last = true;
  static constexpr std::uint64_t piece_bytes_max = 10;

  auto exists(kv::Key key) { return guard(key, store.exists(key)); }
  auto stat(kv::Key key) { return guard(key, store.stat(key)); }
  auto get(kv::Key key, Encoding e) { return guard(key, store.get(key, e)); }
  auto get_partial(kv::Key key, Encoding e, std::uint64_t offset, std::uint64_t length) {
    return guard(key, store.get_partial(key, e, offset, length));
  }
  auto list(kv::Key key) { return guard(key, store.list(key)); }

  Memory store;
  std::string down = "nothing";

 private:
  template <class T>
  base::Ready<kv::Result<T>> guard(kv::Key key, base::Ready<kv::Result<T>> ready) const {
    if (key.starts_with(down)) return {base::failure(Error::unavailable)};
    return ready;
  }
};
static_assert(kv::KvRo<Failing>);

struct Stores {
  Failing upper;
  Memory lower;
  kv::Overlay<Failing, Memory> both{upper, lower};

  auto exists(kv::Key key) { return base::run_now(both.exists(key)); }
  auto list(kv::Key key) { return base::run_now(both.list(key)); }
  std::string get(kv::Key key, Encoding e = Encoding::identity) {
    auto value = base::run_now(both.get(key, e));
    auto part = base::run_now(both.get_partial(key, e, 0, 1000));
    EXPECT_EQ(value.has_value(), part.has_value());
    if (!value) return "error " + std::to_string(static_cast<int>(value.error()));
    EXPECT_EQ(base::text_of(*value), base::text_of(*part));
    return std::string(base::text_of(*value));
  }
  static std::string failed(Error error) {
    return "error " + std::to_string(static_cast<int>(error));
  }
};

TEST(KvOverlay, Law1AValueHidesTheValueBelowInEveryEncoding) {
  Stores stores;
  stores.upper.store.put("k", "upper");
  stores.lower.put("k", "lower");
  stores.lower.put_form("k", Encoding::gzip, base::bytes_of("lower gzip"));
  EXPECT_EQ(stores.get("k"), "upper");
  EXPECT_EQ(stores.get("k", Encoding::gzip), Stores::failed(Error::not_found));
  auto stat = base::run_now(stores.both.stat("k"));
  ASSERT_TRUE(stat);
  EXPECT_FALSE(stat->has(Encoding::gzip));
}

TEST(KvOverlay, Law1AValueHidesTheDictionaryBelowWithAllInIt) {
  Stores stores;
  stores.upper.store.put("k", "upper");
  stores.lower.put("k/a", "1");
  stores.lower.put("k/b/c", "2");
  EXPECT_EQ(stores.exists("k"), Kind::value);
  EXPECT_EQ(stores.list("k").error(), Error::dictionary_expected);
  for (kv::Key key : {"k/a", "k/b", "k/b/c", "/k/a", "/k/b/c"}) {
    EXPECT_EQ(stores.exists(key).error(), Error::not_found) << key;
    EXPECT_EQ(base::run_now(stores.both.stat(key)).error(), Error::not_found) << key;
    EXPECT_EQ(stores.get(key), Stores::failed(Error::not_found)) << key;
    EXPECT_EQ(stores.list(key).error(), Error::not_found) << key;
  }
  EXPECT_EQ(stores.list(""), (std::vector<Entry>{{"k", Kind::value}}));
}

TEST(KvOverlay, Law1ADictionaryHidesTheValueBelow) {
  Stores stores;
  stores.upper.store.put("k/a", "upper");
  stores.lower.put("k", "lower");
  EXPECT_EQ(stores.exists("k"), Kind::dictionary);
  EXPECT_EQ(stores.get("k"), Stores::failed(Error::value_expected));
  EXPECT_EQ(base::run_now(stores.both.stat("k")).error(), Error::value_expected);
  EXPECT_EQ(stores.list("k"), (std::vector<Entry>{{"a", Kind::value}}));
  EXPECT_EQ(stores.list(""), (std::vector<Entry>{{"k", Kind::dictionary}}));
}

TEST(KvOverlay, Law2DictionariesMerge) {
  Stores stores;
  stores.upper.store.put("d/b", "");
  stores.upper.store.put("d/same", "");
  stores.upper.store.put("d/z/1", "");
  stores.lower.put("d/a", "");
  stores.lower.put("d/same", "");
  stores.lower.put("d/z/2", "");
  stores.lower.put("d/zz", "");
  EXPECT_EQ(stores.list("d"), (std::vector<Entry>{{"a", Kind::value},
                                                  {"b", Kind::value},
                                                  {"same", Kind::value},
                                                  {"z", Kind::dictionary},
                                                  {"zz", Kind::value}}));
  EXPECT_EQ(stores.list("d/z"), (std::vector<Entry>{{"1", Kind::value}, {"2", Kind::value}}));
}

TEST(KvOverlay, Law3UnavailableAboveIsUnavailable) {
  Stores stores;
  stores.upper.store.put("up/here", "");
  stores.upper.down = "up";
  stores.lower.put("up/there", "lower");
  stores.lower.put("other", "lower");
  for (kv::Key key : {"up", "up/there", "up/here"}) {
    EXPECT_EQ(stores.exists(key).error(), Error::unavailable) << key;
    EXPECT_EQ(base::run_now(stores.both.stat(key)).error(), Error::unavailable) << key;
    EXPECT_EQ(stores.get(key), Stores::failed(Error::unavailable)) << key;
    EXPECT_EQ(stores.list(key).error(), Error::unavailable) << key;
  }
  EXPECT_EQ(stores.get("other"), "lower");
  // One that fails at the value above a key only.
  stores.upper.down = "up/there/deep";
  EXPECT_EQ(stores.get("up/there"), "lower");
}

TEST(KvOverlay, UnavailableBelowIsUnavailableWhereItMatters) {
  Memory upper;
  Failing lower;
  upper.put("d/above", "upper");
  lower.down = "d";
  kv::Overlay<Memory, Failing> both(upper, lower);
  EXPECT_EQ(base::text_of(*base::run_now(both.get("d/above", Encoding::identity))), "upper");
  EXPECT_EQ(base::run_now(both.list("d")).error(), Error::unavailable);
  EXPECT_EQ(base::run_now(both.exists("d/other")).error(), Error::unavailable);
}

TEST(KvOverlay, ReadingAdviceIsTheStricterOne) {
  static_assert(!kv::Overlay<Failing, Memory>::values_last);
  static_assert(kv::Overlay<Failing, Failing>::values_last);
  static_assert(kv::Overlay<Failing, Memory>::piece_bytes_max == 10);
  static_assert(kv::Overlay<Memory, Failing>::piece_bytes_max == 10);
}

TEST(KvMemory, AReplacedValueStaysWithWhoHoldsIt) {
  Memory store;
  store.put("k", "first");
  auto held = base::run_now(store.get("k", Encoding::identity));
  store.put("k", "second");
  EXPECT_TRUE(store.remove("k"));
  EXPECT_FALSE(store.remove("k"));
  EXPECT_EQ(base::text_of(*held), "first");
  EXPECT_EQ(base::run_now(store.exists("k")).error(), Error::not_found);
}

TEST(KvMemory, HeadsLiveAsLongAsTheStore) {
  Memory store;
  store.put("k", "bytes");
  const kv::OwnedFields type{{"Content-Type", std::string(100, 'h')}};
  store.put_head("k", Encoding::identity, {{}, type, {}, {}, {}});
  auto stat = base::run_now(store.stat("k"));
  store.put_head("k", Encoding::identity, {{}, {{"Content-Type", "another"}}, {}, {}, {}});
  store.put("k", "others");
  const kv::Head& head = stat->form(Encoding::identity).head;
  EXPECT_EQ(head.at(head.type).text(), "Content-Type: " + type[0].second + "\r\n");
  EXPECT_FALSE(base::run_now(store.stat("k"))->form(Encoding::identity).head.is_stored());
}

TEST(KvMemoryDeathTest, RefusesWhatNoStoreCanHold) {
  Memory store;
  store.put("a/b", "");
  EXPECT_DEATH(store.put("", ""), "CHECK");
  EXPECT_DEATH(store.put("/x", ""), "CHECK");
  EXPECT_DEATH(store.put("a/b/c", ""), "CHECK");
  EXPECT_DEATH(store.put("a", ""), "CHECK");
}

}  // namespace
