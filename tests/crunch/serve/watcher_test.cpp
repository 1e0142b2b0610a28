// SPDX-License-Identifier: ISC
// tests/crunch/serve/watcher_test.cpp: the watcher on a real directory.
//
// Method: a loop on the kernel's epoll; each test does something to the tree and turns the loop
// until it is told, or until a change made afterwards, whose telling proves that the first was not
// told. Nothing is timed: what must not be told is shown by order.

#include "crunch/serve/watcher.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "targets/unix/clock.hpp"
#include "targets/unix/epoll.hpp"
#include "tests/kv/tree.hpp"

namespace {

using crunch::serve::Change;
using crunch::serve::Changed;
using crunch::serve::Watcher;

class KeptConsole final : public base::Console {
 public:
  void write(std::string_view text) noexcept override { written += text; }
  std::string written;
};

class WatcherTest : public ::testing::Test {
 protected:
  WatcherTest() {
    epoll.serve(loop);
    tree.write("site/index.html", "home");
    tree.write("site/style.css", "p {}");
    tree.write("site/docs/page.html", "page");
  }
  void watch(Watcher::Options options = {}) {
    watcher.emplace(tree.at("site"), loop, epoll, log, options,
                    [this](const Changed& changed) { told.push_back(changed.change); });
  }
  // What is told next; none when nothing comes for a long time.
  Change next() {
    base::Instant end = clock.now() + std::chrono::seconds(30);
    // A turn sleeps last, so a telling in it is seen after the sleep: short ones.
    while (told.empty() && clock.now() < end) {
      loop.turn(clock.now() + std::chrono::milliseconds(5));
    }
    if (told.empty()) return Change::none;
    Change change = told.front();
    told.erase(told.begin());
    return change;
  }
  // Nothing that was done so far is told: the next to be told is a style sheet's change alone.
  void expect_silence() {
    tree.write("site/style.css", "p { color: red }");
    EXPECT_EQ(next(), Change::styles);
  }

  kv::Tree tree;
  unix_target::Clock clock;
  unix_target::Epoll epoll{clock};
  base::Loop loop{clock, epoll};
  KeptConsole console;
  base::Log log{console};
  std::vector<Change> told;
  std::optional<Watcher> watcher;
};

TEST_F(WatcherTest, TellsChangesOfFiles) {
  struct Case {
    const char* what;
    std::function<void(const kv::Tree&)> make;
    Change change;
  };
  const Case cases[] = {
      {"a page", [](auto& t) { t.write("site/index.html", "new"); }, Change::page},
      {"a style sheet", [](auto& t) { t.write("site/style.css", "a {}"); }, Change::styles},
      {"a page below", [](auto& t) { t.write("site/docs/page.html", "new"); }, Change::page},
      {"both", [](auto& t) { t.write("site/style.css", ""), t.write("site/index.html", ""); },
       Change::page},
      {"a new file", [](auto& t) { t.write("site/new.txt", ""); }, Change::page},
      {"a new style sheet", [](auto& t) { t.write("site/docs/new.css", ""); }, Change::styles},
      {"a deleted file", [](auto& t) { t.remove("site/new.txt"); }, Change::page},
      {"one renamed into another's place",
       [](auto& t) {
         t.write("site/style.css.part", "b {}");
         std::filesystem::rename(t.at("site/style.css.part"), t.at("site/style.css"));
       },
       Change::styles},
      {"a new link", [](auto& t) { t.link("site/link.html", "index.html"); }, Change::page},
      {"a time", [](auto& t) { utimensat(AT_FDCWD, t.at("site/index.html").c_str(), {}, 0); },
       Change::page},
      {"security.txt", [](auto& t) { t.write("site/.well-known/security.txt", ""); }, Change::page},
      {"a deep one", [](auto& t) { t.write("site/docs/.well-known/x", ""); }, Change::page},
  };
  watch();
  for (const Case& given : cases) {
    given.make(tree);
    EXPECT_EQ(next(), given.change) << given.what;
  }
  EXPECT_EQ(console.written, "");
}

TEST_F(WatcherTest, FollowsDirectoriesThatComeAndGo) {
  watch();
  EXPECT_EQ(watcher->watch_count(), 2U);
  tree.write("site/a/b/c/deep.html", "");
  EXPECT_EQ(next(), Change::page);
  EXPECT_EQ(watcher->watch_count(), 5U);
  tree.write("site/a/b/c/deep.css", "");
  EXPECT_EQ(next(), Change::styles);
  std::filesystem::rename(tree.at("site/a/b"), tree.at("site/moved"));
  EXPECT_EQ(next(), Change::page);
  EXPECT_EQ(watcher->watch_count(), 5U);
  tree.write("site/moved/c/deep.css", "b {}");
  EXPECT_EQ(next(), Change::styles);
  std::filesystem::rename(tree.at("site/moved"), tree.at("outside"));
  EXPECT_EQ(next(), Change::page);
  EXPECT_EQ(watcher->watch_count(), 3U);
  tree.write("outside/c/deep.html", "not ours any more");
  expect_silence();
  tree.remove("site/a");
  EXPECT_EQ(next(), Change::page);
  EXPECT_EQ(watcher->watch_count(), 2U);
}

TEST_F(WatcherTest, IsSilentAboutWhatIsNotShown) {
  watch();
  tree.write("site/.index.html.swp", "");
  tree.write("site/.git/index", "");
  tree.write("site/4913", "");
  tree.remove("site/4913");
  tree.write("site/index.html~", "");
  tree.write("site/part-1234", "");
  tree.remove("site/part-1234");
  expect_silence();
  EXPECT_EQ(watcher->watch_count(), 2U);
}

// The times are so long or so short that a busy machine cannot tell them apart.
TEST_F(WatcherTest, AStormIsToldOnce) {
  watch({.quiet = std::chrono::seconds(2), .gather_max = std::chrono::hours(1)});
  for (int i = 0; i < 1'000; ++i) {
    tree.write("site/" + std::to_string(i) + ".html", "x");
    if (i % 100 == 0) loop.turn(clock.now());
  }
  EXPECT_EQ(next(), Change::page);
  expect_silence();
}

TEST_F(WatcherTest, SomebodyWhoNeverStopsWritingIsHeardAllTheSame) {
  watch({.quiet = std::chrono::hours(1), .gather_max = std::chrono::milliseconds(300)});
  while (told.empty()) {
    tree.write("site/index.html", "x");
    loop.turn(clock.now() + std::chrono::milliseconds(1));
  }
  EXPECT_EQ(next(), Change::page);
}

TEST_F(WatcherTest, SurvivesTheTreeBeingDeletedAndMadeAnew) {
  watch({.look_every = std::chrono::milliseconds(20)});
  for (int i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    tree.remove("site");
    EXPECT_EQ(next(), Change::page);
    tree.write("site/docs/page.html", "anew");
    tree.write("site/style.css", "anew");
    EXPECT_EQ(next(), Change::page);
    // What is told so far may be the making; the new directories are watched.
    while (watcher->watch_count() < 2) EXPECT_EQ(next(), Change::page);
    tree.write("site/docs/more.html", "");
    EXPECT_EQ(next(), Change::page);
  }
}

TEST_F(WatcherTest, NoticesThatTheRootWasExchanged) {
  tree.write("other/index.html", "other");
  tree.write("other/style.css", "");
  std::filesystem::rename(tree.at("site"), tree.at("real"));
  tree.link("site", "real");
  watch({.look_every = std::chrono::milliseconds(20)});
  EXPECT_EQ(watcher->watch_count(), 2U);
  tree.remove("site");
  tree.link("site", "other");
  EXPECT_EQ(next(), Change::page);
  EXPECT_EQ(watcher->watch_count(), 1U);
  tree.write("real/index.html", "not shown any more");
  tree.write("other/style.css", "b {}");
  EXPECT_EQ(next(), Change::styles);
}

TEST_F(WatcherTest, AtTheLimitItWarnsOnceAndWatchesTheRest) {
  tree.write("site/more/a.html", "");
  watch({.watches_max = 1});
  EXPECT_EQ(watcher->watch_count(), 1U);
  EXPECT_EQ(console.written.find("warning: changes in "), 0U) << console.written;
  EXPECT_NE(console.written.find("fs.inotify.max_user_watches"), std::string::npos);
  EXPECT_EQ(std::ranges::count(console.written, '\n'), 1);
  tree.write("site/index.html", "still noticed");
  EXPECT_EQ(next(), Change::page);
}

// The queue's length is the system's (16,384 as a rule); more than that without a read overflows
// it.
TEST_F(WatcherTest, AFullQueueIsAChangeOfEverything) {
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  std::size_t events_max = 0;
  limit >> events_max;
  if (events_max == 0 || events_max > 100'000) {
    GTEST_SKIP() << "max_queued_events is " << events_max << ": too many to fill";
  }
  watch();
  // Two files by turns, for equal events that follow each other are one.
  for (std::size_t i = 0; i < events_max; ++i) {
    utimensat(AT_FDCWD, tree.at(i % 2 == 0 ? "site/style.css" : "site/docs/page.html").c_str(), {},
              0);
  }
  tree.write("site/late/page.html", "its event is lost");
  EXPECT_EQ(next(), Change::page);
  EXPECT_EQ(watcher->watch_count(), 3U);
  tree.write("site/late/style.css", "");
  EXPECT_EQ(next(), Change::styles);
}

}  // namespace
