// SPDX-License-Identifier: ISC
// The laws of kv::KvRw, by number, on every store that is changed; those of KvRo on what the
// changes left; and stores that break each.

#include "tests/kv/rw_laws.hpp"

#include <gtest/gtest.h>

#include "tests/kv/rw_stores.hpp"

namespace kv {
namespace {

const std::vector<std::string> nothing;

template <class Fixture>
class KvRwLaws : public ::testing::Test {
 protected:
  static void expect_law(int number) {
    RwLaws<Fixture> laws;
    EXPECT_EQ(laws.broken(number), nothing);
  }
};
using Changed =
    ::testing::Types<QuickVault, SlowVault, WritableFixture, RwArchetypeFixture<RwFlaw::none>>;
TYPED_TEST_SUITE(KvRwLaws, Changed);

TYPED_TEST(KvRwLaws, Law10Set) { this->expect_law(10); }
TYPED_TEST(KvRwLaws, Law11Remove) { this->expect_law(11); }
TYPED_TEST(KvRwLaws, Law12Refusals) { this->expect_law(12); }
TYPED_TEST(KvRwLaws, Law15Turns) { this->expect_law(15); }

template <class Fixture>
class KvRwReads : public ::testing::Test {};
using Read = ::testing::Types<QuickVault, SlowVault, WritableFixture>;
TYPED_TEST_SUITE(KvRwReads, Read);

TYPED_TEST(KvRwReads, AreAsKvRoSays) {
  for (int number = 1; number <= Laws<TypeParam>::count; ++number) {
    Laws<TypeParam> laws(small_site());
    EXPECT_EQ(laws.broken(number), nothing) << "law " << number;
  }
}

template <RwFlaw flaw>
void expect_noticed(int law) {
  RwLaws<RwArchetypeFixture<flaw>> laws;
  EXPECT_NE(laws.broken(law), nothing) << "flaw " << static_cast<int>(flaw);
}

TEST(KvRwMutation, EveryLawCanFail) {
  expect_noticed<RwFlaw::forgets_at_restart>(10);
  expect_noticed<RwFlaw::appends>(10);
  expect_noticed<RwFlaw::keeps_slash>(10);
  expect_noticed<RwFlaw::remove_keeps>(11);
  expect_noticed<RwFlaw::removes_dictionaries>(11);
  expect_noticed<RwFlaw::removes_nothing_gladly>(11);
  expect_noticed<RwFlaw::takes_any_key>(12);
  expect_noticed<RwFlaw::takes_any_size>(12);
  expect_noticed<RwFlaw::overwrites_dictionaries>(12);
  expect_noticed<RwFlaw::appends>(15);
}

}  // namespace
}  // namespace kv
