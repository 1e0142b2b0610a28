// SPDX-License-Identifier: ISC
// The cache of compressed forms: what is kept is found, and nothing else ever is.
// Method: an entry with every state, then that entry damaged at every byte and cut at every length.
#include "crunch/embed/cache.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "crunch/files.hpp"
#include "tests/kv/tree.hpp"

namespace {

namespace fs = std::filesystem;
using crunch::embed::Cache;
using crunch::embed::Effort;
using crunch::embed::Forms;
using State = crunch::embed::MadeForm::State;

class CacheTest : public ::testing::Test {
 protected:
  static crypto::Sha256Bytes content(const std::string& text) {
    return crypto::sha256_of(base::bytes_of(text));
  }
  static Forms forms() {
    Forms forms;
    auto& br = forms[kv::index_of(kv::Encoding::br)];
    br.state = State::made;
    br.bytes = {std::byte{1}, std::byte{2}, std::byte{3}};
    br.size_bytes = 3;
    br.sha256 = crypto::sha256_of(br.bytes);
    forms[kv::index_of(kv::Encoding::zstd)].state = State::not_worthwhile;
    return forms;
  }
  static void expect_found(const Forms& found) {
    EXPECT_EQ(found[kv::index_of(kv::Encoding::gzip)].state, State::unknown);
    EXPECT_EQ(found[kv::index_of(kv::Encoding::br)].state, State::made);
    EXPECT_EQ(found[kv::index_of(kv::Encoding::br)].bytes, forms()[2].bytes);
    EXPECT_EQ(found[kv::index_of(kv::Encoding::br)].size_bytes, 3U);
    EXPECT_EQ(found[kv::index_of(kv::Encoding::br)].sha256, forms()[2].sha256);
    EXPECT_EQ(found[kv::index_of(kv::Encoding::zstd)].state, State::not_worthwhile);
  }
  static bool is_empty(const Forms& found) {
    return std::ranges::all_of(found, [](auto& form) { return form.state == State::unknown; });
  }
  static void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  const kv::Tree tree_;
  const std::string& folder_ = tree_.path();
};

TEST_F(CacheTest, FindsWhatIsKept) {
  Cache cache(folder_ + "/not/there/yet", Effort::normal);
  EXPECT_TRUE(is_empty(cache.find(content("a"))));
  cache.keep(content("a"), forms());
  expect_found(cache.find(content("a")));
  expect_found(Cache(folder_ + "/not/there/yet", Effort::normal).find(content("a")));
  EXPECT_TRUE(is_empty(cache.find(content("b"))));
  EXPECT_TRUE(is_empty(Cache(folder_ + "/not/there/yet", Effort::best).find(content("a"))));
  EXPECT_EQ(cache.trouble(), "");
}

TEST_F(CacheTest, DamageAtAnyByteIsNoEntry) {
  Cache cache(folder_, Effort::fast);
  cache.keep(content("a"), forms());
  std::string path = cache.path_of(content("a"));
  std::string good = crunch::read_file(path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    write(path, bad);
    EXPECT_TRUE(is_empty(cache.find(content("a")))) << "byte " << i;
    write(path, good.substr(0, i));
    EXPECT_TRUE(is_empty(cache.find(content("a")))) << "cut at " << i;
  }
  // It is made again.
  cache.keep(content("a"), forms());
  expect_found(cache.find(content("a")));
}

TEST_F(CacheTest, TrimRemovesWhatWasNotUsedForLongest) {
  Cache cache(folder_, Effort::fast, 2000);
  for (int i = 0; i < 20; ++i) {
    cache.keep(content(std::to_string(i)), forms());
    fs::last_write_time(cache.path_of(content(std::to_string(i))),
                        fs::file_time_type::clock::now() - std::chrono::hours(100 - i));
  }
  expect_found(cache.find(content("0")));  // used: now the newest
  cache.trim();
  expect_found(cache.find(content("0")));
  expect_found(cache.find(content("19")));
  EXPECT_TRUE(is_empty(cache.find(content("1"))));
  std::uint64_t total = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (entry.is_regular_file()) total += entry.file_size();
  }
  EXPECT_LE(total, 2000U);
  EXPECT_GT(total, 1000U);
}

TEST_F(CacheTest, ACacheThatCannotBeWrittenIsTroubleOnly) {
  write(folder_ + "/file", "in the way");
  Cache cache(folder_ + "/file", Effort::fast);
  cache.keep(content("a"), forms());
  cache.trim();
  EXPECT_TRUE(is_empty(cache.find(content("a"))));
  EXPECT_NE(cache.trouble().find("/file"), std::string::npos);
  EXPECT_EQ(crunch::read_file(folder_ + "/file"), "in the way");
}

TEST_F(CacheTest, NoCache) {
  Cache cache("", Effort::fast);
  cache.keep(content("a"), forms());
  EXPECT_TRUE(is_empty(cache.find(content("a"))));
  EXPECT_EQ(cache.trouble(), "");
}

}  // namespace
