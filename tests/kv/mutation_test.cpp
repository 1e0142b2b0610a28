// SPDX-License-Identifier: ISC
// tests/kv/mutation_test.cpp: every law's test can fail.
//
// Method: stores that break one law each; that law's function must notice.

#include "tests/kv/laws.hpp"
#include "tests/kv/stores.hpp"

namespace {

using kv::Flaw;

template <Flaw flaw>
void expect_noticed(int law) {
  kv::Laws<kv::ArchetypeFixture<flaw>> laws(kv::small_site());
  EXPECT_NE(laws.broken(law), std::vector<std::string>{})
      << "flaw " << static_cast<int>(flaw) << " passes law " << law;
}

TEST(KvMutation, EveryLawCanFail) {
  expect_noticed<Flaw::keeps_leading_slash>(1);
  expect_noticed<Flaw::root_missing_when_empty>(2);
  expect_noticed<Flaw::exists_not_stat>(2);
  expect_noticed<Flaw::dictionary_not_found>(3);
  expect_noticed<Flaw::list_of_value_not_found>(3);
  expect_noticed<Flaw::trailing_slash_ignored>(4);
  expect_noticed<Flaw::below_value_is_value>(4);
  expect_noticed<Flaw::dot_segments_resolved>(4);
  expect_noticed<Flaw::size_of_identity>(5);
  expect_noticed<Flaw::falls_back_to_identity>(5);
  expect_noticed<Flaw::error_past_the_end>(6);
  expect_noticed<Flaw::sum_overflows>(6);
  expect_noticed<Flaw::one_digest_for_all>(7);
  expect_noticed<Flaw::no_identity>(7);
  expect_noticed<Flaw::list_in_order_of_keys>(8);
  expect_noticed<Flaw::list_names_twice>(8);
  expect_noticed<Flaw::list_of_whole_keys>(8);
  expect_noticed<Flaw::list_misses_dictionaries>(8);
  expect_noticed<Flaw::values_share_a_buffer>(9);
}

}  // namespace
