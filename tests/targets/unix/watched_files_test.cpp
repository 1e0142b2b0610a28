// SPDX-License-Identifier: ISC
// tests/targets/unix/watched_files_test.cpp: which changes of files are noticed, and how often.
//
// Method: a folder of the test's own; the ways in which editors, certbot and Kubernetes put files
// in place; short times, and a loop that turns until there is a call or a bound is over.

#include "targets/unix/watched_files.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "targets/unix/clock.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/epoll.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using unix_target::WatchedFiles;

class WatchedFilesTest : public ::testing::Test {
 protected:
  WatchedFilesTest() {
    std::string name = (fs::temp_directory_path() / "watched.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    epoll_.serve(loop_);
  }
  ~WatchedFilesTest() override { fs::remove_all(folder_); }

  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  static void link(const fs::path& to, const fs::path& path) {
    const fs::path beside = path.string() + ".new";
    fs::create_symlink(to, beside);
    fs::rename(beside, path);
  }
  // Times at which nothing but events leads to a call.
  static unix_target::WatchedFilesTimes told() {
    return {.quiet = 20ms, .busy_max = 200ms, .look_every = 1h, .poll_every = 1h};
  }
  void watch(const std::vector<fs::path>& paths,
             const unix_target::WatchedFilesTimes& times = told()) {
    std::vector<std::string> texts;
    for (const fs::path& path : paths) texts.push_back(path.string());
    watched_.emplace(
        loop_, epoll_, log_, texts, [this] { ++calls_; }, times);
  }
  // Turns until there are so many calls, at most for a while; and then a little more.
  int calls(int wanted) {
    const base::Instant until = clock_.now() + 5s;
    while (calls_ < wanted && clock_.now() < until) loop_.turn(clock_.now() + 5ms);
    rest();
    return calls_;
  }
  void rest() {
    for (const base::Instant until = clock_.now() + 60ms; clock_.now() < until;) {
      loop_.turn(clock_.now() + 5ms);
    }
  }

  fs::path folder_;
  unix_target::Console console_{2};
  base::Log log_{console_};
  unix_target::Clock clock_;
  unix_target::Epoll epoll_{clock_};
  base::Loop loop_{clock_, epoll_};
  int calls_ = 0;
  std::optional<WatchedFiles> watched_;
};

TEST_F(WatchedFilesTest, AFileThatIsWrittenOrReplaced) {
  write(folder_ / "a", "one");
  write(folder_ / "b", "one");
  watch({folder_ / "a", folder_ / "b"});
  ASSERT_TRUE(watched_->is_told());
  rest();
  EXPECT_EQ(calls_, 0);
  write(folder_ / "a", "other");
  EXPECT_EQ(calls(1), 1);
  write(folder_ / "new", "third");
  fs::rename(folder_ / "new", folder_ / "a");
  EXPECT_EQ(calls(2), 2);
  write(folder_ / "a", "both");
  write(folder_ / "b", "both");
  EXPECT_EQ(calls(3), 3) << "once for both";
  fs::remove(folder_ / "a");
  EXPECT_EQ(calls(4), 4);
  write(folder_ / "a", "again");
  EXPECT_EQ(calls(5), 5);
  write(folder_ / "c", "a neighbour");
  rest();
  EXPECT_EQ(calls_, 5);
}

// /etc/letsencrypt: live/x/cert.pem -> ../../archive/x/cert1.pem.
TEST_F(WatchedFilesTest, CertbotsLinks) {
  write(folder_ / "archive/x/cert1.pem", "one");
  fs::create_directories(folder_ / "live/x");
  link("../../archive/x/cert1.pem", folder_ / "live/x/cert.pem");
  watch({folder_ / "live/x/cert.pem"});
  write(folder_ / "archive/x/cert2.pem", "two");
  rest();
  EXPECT_EQ(calls_, 0);
  link("../../archive/x/cert2.pem", folder_ / "live/x/cert.pem");
  EXPECT_EQ(calls(1), 1);
  write(folder_ / "archive/x/cert2.pem", "rewritten");
  EXPECT_EQ(calls(2), 2);
}

// /tls/tls.crt -> ..data/tls.crt, ..data -> ..2026_1; ..data is what changes.
TEST_F(WatchedFilesTest, KubernetesData) {
  for (int version = 1; version <= 3; ++version) {
    const std::string data = "..2026_" + std::to_string(version);
    write(folder_ / data / "tls.crt", std::string(static_cast<std::size_t>(version), 'x'));
    link(data, folder_ / "..data");
    if (version == 1) {
      fs::create_symlink("..data/tls.crt", folder_ / "tls.crt");
      watch({folder_ / "tls.crt"});
      continue;
    }
    EXPECT_EQ(calls(version - 1), version - 1);
    fs::remove_all(folder_ / ("..2026_" + std::to_string(version - 1)));
    rest();
    EXPECT_EQ(calls_, version - 1) << "what is gone was of before";
  }
}

// A folder in which something happens all the time.
TEST_F(WatchedFilesTest, IsNotHeldUpByNoise) {
  write(folder_ / "a", "one");
  watch({folder_ / "a"});
  write(folder_ / "a", "other");
  const base::Instant until = clock_.now() + 5s;
  while (calls_ == 0 && clock_.now() < until) {
    write(folder_ / "noise", "x");
    loop_.turn(clock_.now() + 5ms);
  }
  EXPECT_EQ(calls_, 1);
}

// As in a process that has no descriptor left, or a user with no instance.
TEST_F(WatchedFilesTest, WithoutInotifyTheyAreLookedAt) {
  write(folder_ / "a", "one");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  watch({folder_ / "a"}, {.poll_every = 20ms});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(watched_->is_told());
  write(folder_ / "a", "other");
  EXPECT_EQ(calls(1), 1);
  rest();
  EXPECT_EQ(calls_, 1);
}

TEST_F(WatchedFilesTest, WhatWasReadAnywayIsNotTold) {
  write(folder_ / "a", "one");
  watch({folder_ / "a"});
  write(folder_ / "a", "other");
  watched_->take_note();
  rest();
  EXPECT_EQ(calls_, 0);
}

}  // namespace
