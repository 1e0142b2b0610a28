// SPDX-License-Identifier: ISC
// tests/config/choice_test.cpp: devices chosen by build keys and by what is derived from
// them.
//
// Method: CRUNCH_SETTINGS names this test's own header, so that some keys are set and others are
// not; what was chosen is asked of the types and of the graph.

#include "config/choice.hpp"

#include <gtest/gtest.h>

#include "config/describe.hpp"
#include "config/instances.hpp"
#include "tests/config/toys.hpp"

namespace {

using namespace toys;
using namespace config;

enum class Kind : std::uint8_t { plain, secret, both };
constexpr std::string_view kinds[] = {"plain", "secret", "both"};
constexpr Key<Kind> set_kind{.name = "kind",
                             .section = "BUILD",
                             .doc = "Which wire",
                             .fallback = Kind::plain,
                             .words = kinds,
                             .stage = Stage::build};
constexpr Key<bool> unset{.name = "unset",
                          .section = "BUILD",
                          .doc = "Nobody says it",
                          .fallback = true,
                          .stage = Stage::build};
constexpr Key<int> bad{
    .name = "bad", .section = "BUILD", .doc = "No number", .fallback = 7, .stage = Stage::build};
constexpr Key<List<Port>> ports{
    .name = "ports", .section = "BUILD", .doc = "Two ports", .fallback = "", .stage = Stage::build};

// tests/config/settings.inc sets them.
static_assert(decltype(value<set_kind>())::get() == Kind::secret);
static_assert(decltype(value<unset>())::get());
static_assert(decltype(value<bad>())::get() == 7, "what is no value is not taken");
static_assert(decltype(value<ports>())::get().at(1) == 443);

constexpr auto is_secret = map([](Kind kind) { return kind == Kind::secret; }, value<set_kind>());
constexpr auto one_of_two = apply([](bool a, bool b, bool c) { return a && b && c; }, is_secret,
                                  value<unset>(), pure<true>());
static_assert(decltype(one_of_two)::get());

constexpr auto chosen = if_(one_of_two, secure(cable), cable);
static_assert(std::is_same_v<decltype(chosen), const decltype(secure(cable))>);
static_assert(std::is_same_v<decltype(match(value<set_kind>(), when<Kind::plain>(cable),
                                            when<Kind::secret>(secure(cable)), otherwise(cable))),
                             decltype(secure(cable))>);
static_assert(std::is_same_v<decltype(match(value<set_kind>(), when<Kind::plain>(secure(cable)),
                                            otherwise(cable))),
                             std::remove_const_t<decltype(cable)>>);

// A device that was chosen is the same as one that was named.
constexpr auto app = jobs(server(site, chosen), server(docs, secure(cable)));
constexpr std::tuple target_keys{&threads};

TEST(Choice, WhatWasChosenIsSharedWithWhatWasNamed) {
  toys::Context context;
  {
    Instances<std::remove_cvref_t<decltype(app)>, toys::Context> instances(context);
    EXPECT_EQ(context.log, "+site +wire +secure +server +docs +server ");
    context.log.clear();
  }
  EXPECT_EQ(context.log, "-server -docs -server -secure -wire -site ");
}

TEST(Choice, TheGraphListsTheKeysThatChoseWithTheirValues) {
  constexpr auto json = graph_json<target_keys, app>();
  const std::string_view text(json.data(), json.size());
  EXPECT_NE(
      text.find(R"("keys":[{"name":"kind","section":"BUILD","doc":"Which wire","stage":"build",)"
                R"("type":"word","default":"plain","words":["plain","secret","both"],)"
                R"("value":"secret"},{"name":"unset",)"),
      text.npos)
      << text;
  EXPECT_EQ(text.find(R"("name":"bad")"), text.npos) << "chose nothing here";
}

}  // namespace
