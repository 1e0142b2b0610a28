// SPDX-License-Identifier: ISC
// tests/kv/reading_test.cpp: the laws of kv/reading.hpp, by number, on every store.
//
// Method: each key of a small site within readings: what get_partial gives is what stat described.
// Then what changes under a reading: an overlay of two directories. (directory_test has the ways in
// which a file may change.)

#include "kv/reading.hpp"

#include <memory>

#include "tests/kv/laws.hpp"
#include "tests/kv/stores.hpp"

namespace kv {
namespace {

// The archetype: its handle can only be moved.
class VersionedArchetype : public Archetype {
 public:
  using Archetype::Archetype;
  using Archetype::get_partial;
  using Archetype::stat;
  using Reading = std::unique_ptr<int>;

  Reading reading() { return std::make_unique<int>(0); }
  auto stat(Reading& reading, Key key) {
    ++*reading;
    return Archetype::stat(key);
  }
  auto get_partial(Reading& reading, Key key, Encoding encoding, std::uint64_t offset,
                   std::uint64_t length) {
    CHECK(*reading > 0);
    return Archetype::get_partial(key, encoding, offset, length);
  }
};
static_assert(Versioned<VersionedArchetype> && !Versioned<Archetype>);
static_assert(Versioned<Directory> && !Versioned<Memory> && !Versioned<Crunched>);
static_assert(std::is_empty_v<Reading<Crunched>>);

class VersionedFixture {
 public:
  VersionedFixture(const Content& content, base::Loop&)
      : content_(content), store_(content, Flaw::none) {}
  VersionedArchetype& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  VersionedArchetype store_;
};

template <class Fixture>
class KvReading : public ::testing::Test {
 protected:
  using Store = std::remove_reference_t<decltype(std::declval<Fixture>().store())>;
  using Handle = kv::Reading<Store>;

  Store& store() { return fixture_.store(); }
  auto stat_of(Handle& reading, Key key) { return answer(loop_, kv::stat(store(), reading, key)); }
  auto part_of(Handle& reading, Key key, Encoding encoding) {
    return answer(loop_, kv::get_partial(store(), reading, key, encoding, 0, 1U << 20U));
  }

  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  Fixture fixture_{small_site(), loop_};
};

template <class Types, class More>
struct With;
template <class... Types, class More>
struct With<::testing::Types<Types...>, More> {
  using All = ::testing::Types<Types..., More>;
};
using Stores = With<AllStores, VersionedFixture>::All;
TYPED_TEST_SUITE(KvReading, Stores);

TYPED_TEST(KvReading, Law1And2AReadingGivesWhatItsStatDescribed) {
  auto first = kv::begin_reading(this->store());
  auto second = kv::begin_reading(this->store());
  for (const auto& [key, item] : this->fixture_.content()) {
    for (auto* reading : {&first, &second}) {
      auto known = this->stat_of(*reading, key);
      ASSERT_TRUE(known) << key;
      auto value = this->part_of(*reading, key, Encoding::identity);
      ASSERT_TRUE(value) << key;
      EXPECT_EQ(base::text_of(static_cast<Bytes>(*value)), item.identity);
      EXPECT_EQ(known->form(Encoding::identity).digest, digest_of(static_cast<Bytes>(*value)));
      auto moved = std::move(*reading);  // a handle may be moved in between
      *reading = std::move(moved);
    }
  }
}

TYPED_TEST(KvReading, Law3KeysThatAreNotThere) {
  auto reading = kv::begin_reading(this->store());
  auto known = this->stat_of(reading, "nothing");
  ASSERT_FALSE(known);
  EXPECT_EQ(known.error(), Error::not_found);
  EXPECT_EQ(this->part_of(reading, "nothing", Encoding::identity).error(), Error::not_found);
}

TEST(KvReadingOfAnOverlay, IsBothStores) {
  base::SimulatedTime time;
  base::Loop loop{time, time};
  Tree above_tree;
  Tree below_tree;
  above_tree.write("a", "above");
  below_tree.write("b", "below");
  Directory above(above_tree.path());
  Directory below(below_tree.path());
  Overlay<Directory, Directory> store(above, below);
  auto reading = kv::begin_reading(store);
  auto part = [&](Key key) {
    return answer(loop, store.get_partial(reading, key, Encoding::identity, 0, 100));
  };
  for (Key key : {"a", "b"}) ASSERT_TRUE(answer(loop, store.stat(reading, key)));
  EXPECT_EQ(base::text_of(static_cast<Bytes>(*part("b"))), "below");
  above_tree.write("a", "changed above");
  below_tree.write("b", "changed below");
  EXPECT_EQ(part("a").error(), Error::unavailable);
  EXPECT_EQ(part("b").error(), Error::unavailable);
  // A call of its own sees what is there now.
  auto now = answer(loop, store.get_partial("a", Encoding::identity, 0, 100));
  EXPECT_EQ(base::text_of(static_cast<Bytes>(*now)), "changed above");
}

}  // namespace
}  // namespace kv
