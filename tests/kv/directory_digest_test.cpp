// SPDX-License-Identifier: ISC
// tests/kv/directory_digest_test.cpp: kv::Directory's digests: when a file is read for one, when
// its metadata speaks for it, and that no change hides.
//
// Method: each test runs by both resolvers, which directory_test.cpp gives. What counts as a young
// file is set a day off, so that no clock decides.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "kv/digest.hpp"
#include "tests/kv/directory_world.hpp"

namespace {

using kv::Encoding;
using kv::KvDirectory;

// The digest is cached by metadata, which two quick changes can leave alike.
TEST_P(KvDirectory, QuickChangesOfTheSameSizeAreSeen) {
  for (int i = 0; i < 200; ++i) {
    std::string bytes = std::to_string(1000 + i);
    tree.write("site/index.html", bytes);
    auto known = stat("index.html");
    ASSERT_TRUE(known);
    EXPECT_EQ(known->form(Encoding::identity).digest, kv::digest_of(base::bytes_of(bytes)));
  }
}

TEST_P(KvDirectory, ASettledFileIsDigestedOnceAndAYoungOneEachTime) {
  // Its age is a day beyond, or a day short of, what counts as settled, whatever the clock does.
  for (auto [settling, count] :
       {std::pair(-std::chrono::hours(24), 1U), std::pair(std::chrono::hours(24), 3U)}) {
    kv::Directory directory(tree.at("site").string(),
                            {.resolver = GetParam(), .settling = settling});
    for (int i = 0; i < 3; ++i) {
      auto known = base::run_now(directory.stat("index.html"));
      ASSERT_TRUE(known);
      EXPECT_EQ(known->form(Encoding::identity).digest, kv::digest_of(base::bytes_of("home")));
    }
    EXPECT_EQ(directory.digested_count(), count);
  }
}

// Its metadata speaks for it, so that a stat takes no time in which nothing else is done.
TEST_P(KvDirectory, ALargeFileIsNotReadToDigestIt) {
  constexpr std::uint64_t most = kv::Directory::digested_bytes_max;
  tree.write("site/most", "m");
  std::filesystem::resize_file(tree.at("site/most"), most);
  tree.write("site/large", "a");
  tree.write("site/other", "b");
  for (const char* name : {"site/large", "site/other"}) {
    std::filesystem::resize_file(tree.at(name), most + 1);
  }
  const auto digest = [](kv::Directory& directory, kv::Key key) {
    auto known = base::run_now(directory.stat(key));
    EXPECT_TRUE(known) << key;
    return known ? known->form(Encoding::identity).digest : kv::Digest{};
  };
  using std::chrono::hours;
  kv::Directory old(tree.at("site").string(), {.resolver = GetParam(), .settling = -hours(24)});
  kv::Directory young(tree.at("site").string(), {.resolver = GetParam(), .settling = hours(24)});
  std::string content = "m";
  content.resize(most);
  EXPECT_EQ(digest(old, "most"), kv::digest_of(base::bytes_of(content)));
  EXPECT_EQ(old.digested_count(), 1U);

  const kv::Digest first = digest(old, "large");
  EXPECT_EQ(digest(old, "large"), first);
  EXPECT_NE(digest(old, "other"), first) << "of the same size";
  kv::Directory again(tree.at("site").string(), {.resolver = GetParam(), .settling = -hours(24)});
  EXPECT_EQ(digest(again, "large"), first) << "the next start knows it, too";
  // Nobody can tell a young file's content from the next by its times.
  const kv::Digest of_young = digest(young, "large");
  EXPECT_NE(of_young, first);
  EXPECT_NE(digest(young, "large"), of_young);
  // A change of one byte, after which somebody puts the time of modification back: the file
  // system's own time tells, from its next tick on, which `settling` waits for.
  const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  const auto change_time = [&] {
    struct stat meta {};
    EXPECT_EQ(utimensat(AT_FDCWD, tree.at("site/large").c_str(), times, 0), 0);
    EXPECT_EQ(::stat(tree.at("site/large").c_str(), &meta), 0);
    return std::pair(meta.st_ctim.tv_sec, meta.st_ctim.tv_nsec);
  };
  const auto changed = change_time();
  const kv::Digest before = digest(old, "large");
  std::fstream(tree.at("site/large"), std::ios::in | std::ios::out) << "c";
  for (int i = 0; i < 300 && change_time() == changed; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(digest(old, "large"), before);
  EXPECT_EQ(old.digested_count(), 1U);
  EXPECT_EQ(young.digested_count(), 0U);
}

}  // namespace
