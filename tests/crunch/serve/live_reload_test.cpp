// SPDX-License-Identifier: ISC
// tests/crunch/serve/live_reload_test.cpp: the store that the preview serves, and what wakes it.
//
// Method: the laws of kv::KvRo over three stores below (one that is filled, a directory, one that
// waits); then each sentence of live_reload.hpp's head on a simulated clock.

#include "crunch/serve/live_reload.hpp"

#include <gtest/gtest.h>

#include "http/head.hpp"
#include "tests/kv/laws.hpp"
#include "tests/kv/stores.hpp"

namespace {

using crunch::serve::Change;
using crunch::serve::Changes;
using crunch::serve::LiveReload;
using crunch::serve::Version;
using kv::Encoding;
using kv::Error;
using kv::Kind;

constexpr std::uint32_t run = 0xfeedface;

kv::Content with_scripts(kv::Content content, Version version) {
  for (auto& [key, item] : content) {
    if (!key.ends_with(".html")) continue;
    item.identity += crunch::serve::line_for(version, false);
    item.encoded.clear();
  }
  content[".crunch/reload.js"] = {std::string(crunch::serve::script()), {}};
  return content;
}

// Any of kv's fixtures, seen through the preview.
template <class Below>
class LiveFixture {
 public:
  LiveFixture(const kv::Content& given, base::Loop& loop)
      : below_(given, loop),
        changes_(loop, run),
        store_(below_.store(), changes_),
        content_(with_scripts(below_.content(), changes_.current())) {}
  auto& store() { return store_; }
  const kv::Content& content() const { return content_; }

 private:
  Below below_;
  Changes changes_;
  LiveReload<std::decay_t<decltype(std::declval<Below&>().store())>> store_;
  kv::Content content_;
};

template <class Fixture>
class LiveReloadLaws : public ::testing::Test {};
using Stores = ::testing::Types<LiveFixture<kv::MemoryFixture>,
                                LiveFixture<kv::DirectoryFixture<kv::Resolver::openat2>>,
                                LiveFixture<kv::WaitingFixture>>;
TYPED_TEST_SUITE(LiveReloadLaws, Stores);

TYPED_TEST(LiveReloadLaws, All) {
  kv::Laws<TypeParam> laws(kv::small_site());
  for (int number = 1; number <= laws.count; ++number) {
    EXPECT_EQ(laws.broken(number), std::vector<std::string>{}) << "law " << number;
  }
}

static_assert(kv::KvRo<LiveReload<kv::Archetype>>);
static_assert(kv::KvRo<LiveReload<kv::WaitingArchetype>>);

class LiveReloadTest : public ::testing::Test {
 protected:
  using Store = LiveReload<kv::Memory>;

  std::string get(kv::Key key) {
    auto value = kv::answer(loop, store.get(key, Encoding::identity));
    return value ? std::string(base::text_of(*value)) : "none";
  }
  auto stat(kv::Key key) { return kv::answer(loop, store.stat(key)); }
  static std::string since(Version version) {
    return ".crunch/since-" + crunch::serve::text_of(version);
  }
  // A browser that asks what has changed, and what it was told.
  base::Task<void> poll(std::string key, std::vector<std::string>& told) {
    kv::Result<kv::Stat> known = co_await store.stat(key);
    CHECK(known.has_value());
    kv::Result<Store::Value> value = co_await store.get(key, Encoding::identity);
    CHECK(value.has_value());
    told.emplace_back(base::text_of(*value));
  }
  void turn_for(base::Duration duration) {
    base::Instant end = loop.now() + duration;
    while (loop.now() < end) loop.turn(end);
    loop.turn(end);
  }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  kv::Memory below;
  Changes changes{loop, run};
  Store store{below, changes};
};

TEST_F(LiveReloadTest, OnlyHtmlGetsTheLine) {
  for (const char* key : {"a.html", "b.htm", "c.HTML"}) {
    below.put(key, "<p>");
    EXPECT_EQ(get(key), "<p>" + crunch::serve::line_for(changes.current(), false)) << key;
  }
  for (const char* key : {"a.css", "a.js", "a.svg", "a.xhtml", "html", "a.html.txt", "feed.xml"}) {
    below.put(key, "<p>");
    EXPECT_EQ(get(key), "<p>") << key;
  }
}

TEST_F(LiveReloadTest, TheLineNamesTheScriptAndTheVersion) {
  EXPECT_EQ(crunch::serve::line_for(0x0123456789abcdef, false),
            "\n<script src=\"/.crunch/reload.js\" data-version=\"0123456789abcdef\"></script>\n");
}

TEST_F(LiveReloadTest, AnHtmlPageOfAnotherEncodingOrSizeIsLeftAlone) {
  below.put("utf16.html", std::string_view("\xFF\xFE<\0", 4));
  below.put_form("utf16.html", Encoding::gzip, base::bytes_of("GZ"));
  EXPECT_EQ(get("utf16.html"), std::string("\xFF\xFE<\0", 4));
  EXPECT_TRUE(stat("utf16.html")->has(Encoding::gzip));
  below.put("huge.html", std::string(Store::page_bytes_max + 1, 'x'));
  EXPECT_EQ(stat("huge.html")->form(Encoding::identity).size_bytes, Store::page_bytes_max + 1);
  below.put("large.html", std::string(Store::page_bytes_max, 'x'));
  EXPECT_GT(stat("large.html")->form(Encoding::identity).size_bytes, Store::page_bytes_max);
}

TEST_F(LiveReloadTest, APageFollowsItsFileAndTheVersion) {
  below.put("a.html", "one");
  auto before = stat("a.html");
  EXPECT_EQ(get("a.html"), "one" + crunch::serve::line_for(changes.current(), false));
  below.put("a.html", "two");
  EXPECT_NE(stat("a.html")->form(Encoding::identity).digest,
            before->form(Encoding::identity).digest);
  EXPECT_EQ(get("a.html"), "two" + crunch::serve::line_for(changes.current(), false));
  changes.note(Change::styles);
  ASSERT_TRUE(stat("a.html"));
  EXPECT_EQ(get("a.html"), "two" + crunch::serve::line_for(changes.current(), false));
  below.remove("a.html");
  EXPECT_EQ(stat("a.html").error(), Error::not_found);
  EXPECT_EQ(get("a.html"), "none");
}

TEST_F(LiveReloadTest, BytesAreThoseOfTheLastStatEvenIfTheFileHasChanged) {
  below.put("a.html", "one");
  auto known = stat("a.html");
  below.put("a.html", "longer than before");
  std::string bytes = get("a.html");
  EXPECT_EQ(bytes.size(), known->form(Encoding::identity).size_bytes);
  EXPECT_EQ(kv::digest_of(base::bytes_of(bytes)), known->form(Encoding::identity).digest);
}

TEST_F(LiveReloadTest, KeepsABoundedNumberOfPages) {
  const std::string large(10 * 1024 * 1024, 'x');
  for (int i = 0; i < 12; ++i) below.put(std::to_string(i) + ".html", large);
  for (int i = 0; i < 12; ++i) {
    std::string key = std::to_string(i) + ".html";
    auto known = stat(key);
    ASSERT_TRUE(known);
    EXPECT_EQ(get(key).size(), known->form(Encoding::identity).size_bytes);
    EXPECT_LE(store.kept_bytes(), Store::pages_bytes_max);
  }
}

TEST_F(LiveReloadTest, HidesASiteSOwnDirectoryOfThatName) {
  below.put(".crunch/mine", "x");
  below.put("b", "x");
  EXPECT_EQ(stat(".crunch/mine").error(), Error::not_found);
  auto entries = kv::answer(loop, store.list(""));
  EXPECT_EQ(*entries, (std::vector<kv::Entry>{{".crunch", Kind::dictionary}, {"b", Kind::value}}));
}

TEST_F(LiveReloadTest, ManyWaitUntilSomethingChangesAndAreToldOnce) {
  std::vector<std::string> told;
  for (int i = 0; i < 500; ++i) loop.spawn(poll(since(changes.current()), told));
  turn_for(std::chrono::seconds(5));
  EXPECT_EQ(changes.waiting_count(), 500U);
  EXPECT_TRUE(told.empty());
  changes.note(Change::page);
  turn_for(std::chrono::milliseconds(1));
  EXPECT_EQ(told.size(), 500U);
  EXPECT_EQ(changes.waiting_count(), 0U);
  for (const std::string& body : told) {
    EXPECT_NE(body.find("\"kind\":\"page\",\"version\":\"" +
                        crunch::serve::text_of(changes.current()) + '"'),
              std::string::npos)
        << body;
  }
}

TEST_F(LiveReloadTest, AStreamEndsAfterAWhileWithoutAChange) {
  std::vector<std::string> told;
  loop.spawn(poll(since(changes.current()), told));
  turn_for(Store::wait_within - std::chrono::seconds(1));
  EXPECT_TRUE(told.empty());
  turn_for(std::chrono::seconds(2));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].find("event:"), std::string::npos);
  EXPECT_TRUE(told[0].starts_with("retry: 200\n"));
}

TEST_F(LiveReloadTest, NothingThatHappenedMeanwhileIsMissed) {
  struct Case {
    const char* what;
    Version since;
    const char* kind;  // empty: waits
  };
  const Version start = changes.current();
  changes.note(Change::page);
  const Version page = changes.current();
  changes.note(Change::styles);
  const Version styles = changes.current();
  const Case cases[] = {
      {"nothing new", styles, ""},
      {"a style sheet since", page, "styles"},
      {"a page and a style sheet since", start, "page"},
      {"another run's", 7, "page"},
      {"another run's, with a greater number", ~Version{0}, "page"},
      {"a version that is yet to come", styles + 1, "page"},
  };
  for (const Case& given : cases) {
    SCOPED_TRACE(given.what);
    std::vector<std::string> told;
    loop.spawn(poll(since(given.since), told));
    turn_for(std::chrono::milliseconds(1));
    if (std::string_view(given.kind).empty()) {
      EXPECT_TRUE(told.empty());
      continue;
    }
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].find(std::string("\"kind\":\"") + given.kind + '"'), std::string::npos);
  }
}

TEST_F(LiveReloadTest, StoppingLetsAllGoAndNobodyWaitsAgain) {
  std::vector<std::string> told;
  for (int i = 0; i < 10; ++i) loop.spawn(poll(since(changes.current()), told));
  turn_for(std::chrono::seconds(1));
  changes.stop();
  turn_for(std::chrono::milliseconds(1));
  EXPECT_EQ(told.size(), 10U);
  loop.spawn(poll(since(changes.current()), told));
  turn_for(std::chrono::milliseconds(1));
  EXPECT_EQ(told.size(), 11U);
  EXPECT_EQ(loop.spawned_count(), 0U);
}

TEST_F(LiveReloadTest, AWaitThatIsAbandonedIsForgotten) {
  std::vector<std::string> told;
  {
    base::Loop other(time, time);
    Changes others(other, run);
    Store served(below, others);
    auto wait = [](Changes& on, Version version) -> base::Task<void> {
      co_await on.after(version, std::chrono::hours(1));
    };
    other.spawn(wait(others, others.current()));
    other.turn(other.now());
    EXPECT_EQ(others.waiting_count(), 1U);
  }  // the loop ends with its task, after the Changes
  changes.note(Change::page);
}

TEST_F(LiveReloadTest, AnEventStreamHasItsOwnHeadAndAlwaysTheSameSize) {
  changes.note(Change::styles);
  changes.note(Change::page);
  auto known = stat(since(7));
  ASSERT_TRUE(known);
  const kv::Form& form = known->form(Encoding::identity);
  const kv::Head& head = form.head;
  ASSERT_TRUE(head.is_stored());
  EXPECT_EQ(head.at(head.validators).text(), "Cache-Control: no-store\r\n");
  EXPECT_EQ(head.at(head.type).text(), "Content-Type: text/event-stream\r\n");
  EXPECT_EQ(head.at(head.length).text(),
            "Content-Length: " + std::to_string(form.size_bytes) + "\r\n");
  for (Change change : {Change::none, Change::styles, Change::page}) {
    for (Version version : {Version{0}, ~Version{0}}) {
      std::string body = crunch::serve::events_of(change, version);
      EXPECT_EQ(body.size(), form.size_bytes);
      // Every event ends with an empty line, or a browser does not hear of it.
      EXPECT_EQ(body.find("\n\n") != std::string::npos, change != Change::none);
    }
  }
}

TEST(LiveReloadVersion, IsSixteenDigitsAndNothingElse) {
  using crunch::serve::version_of;
  EXPECT_EQ(version_of("0123456789abcdef"), 0x0123456789abcdefU);
  EXPECT_EQ(version_of(crunch::serve::text_of(~Version{0})), ~Version{0});
  for (const char* text :
       {"", "0", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "-123456789abcdef",
        "+123456789abcdef", "0x23456789abcdef", "0123456789abcdeg", "               1"}) {
    EXPECT_EQ(version_of(text), std::nullopt) << text;
  }
}

}  // namespace
