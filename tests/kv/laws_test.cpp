// SPDX-License-Identifier: ISC
// tests/kv/laws_test.cpp: the laws of kv::KvRo, by number, on every store.

#include "tests/kv/laws.hpp"
#include "tests/kv/stores.hpp"

namespace {

template <class Fixture>
class KvLaws : public ::testing::Test {
 protected:
  void expect_law(int number) {
    kv::Laws<Fixture> laws(kv::small_site());
    EXPECT_EQ(laws.broken(number), std::vector<std::string>{});
  }
};
TYPED_TEST_SUITE(KvLaws, kv::AllStores);

TYPED_TEST(KvLaws, Law1LeadingSlash) { this->expect_law(1); }
TYPED_TEST(KvLaws, Law2ExistsAgrees) { this->expect_law(2); }
TYPED_TEST(KvLaws, Law3Kinds) { this->expect_law(3); }
TYPED_TEST(KvLaws, Law4OnlyNormalKeys) { this->expect_law(4); }
TYPED_TEST(KvLaws, Law5SizesAndEncodings) { this->expect_law(5); }
TYPED_TEST(KvLaws, Law6Parts) { this->expect_law(6); }
TYPED_TEST(KvLaws, Law7Digests) { this->expect_law(7); }
TYPED_TEST(KvLaws, Law8Lists) { this->expect_law(8); }
TYPED_TEST(KvLaws, Law9ValuesStay) { this->expect_law(9); }

}  // namespace
