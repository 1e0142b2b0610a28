// SPDX-License-Identifier: ISC
// tests/kv/directory_world.hpp: kv::Directory on a folder beside a "secret" that every way out
// would reach, by each resolver.

#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/bytes.hpp"
#include "kv/directory/directory.hpp"
#include "tests/kv/tree.hpp"

namespace kv {

class KvDirectory : public ::testing::TestWithParam<Resolver> {
 protected:
  KvDirectory() {
    tree.write("site/index.html", "home");
    tree.write("site/docs/page.html", "page");
    tree.write("secret/key.txt", "secret");
    tree.write("secret.txt", "secret");
  }

  auto exists(Key key) { return base::run_now(store().exists(key)); }
  auto stat(Key key) { return base::run_now(store().stat(key)); }
  auto list(Key key) { return base::run_now(store().list(key)); }
  auto get(Key key) { return base::run_now(store().get(key, Encoding::identity)); }
  std::string text(Key key) {
    auto value = get(key);
    if (!value) return "error " + std::to_string(static_cast<int>(value.error()));
    return std::string(base::text_of(*value));
  }
  void expect_all(Key key, Error error) {
    SCOPED_TRACE(key);
    EXPECT_EQ(exists(key), base::failure(error));
    auto known = stat(key);
    ASSERT_FALSE(known);
    EXPECT_EQ(known.error(), error);
    auto value = get(key);
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error(), error);
    auto entries = list(key);
    ASSERT_FALSE(entries);
    EXPECT_EQ(entries.error(), error);
  }
  Directory& store() {
    if (!store_) {
      Directory::Options options{.dotfiles = dotfiles, .resolver = GetParam()};
      store_ = std::make_unique<Directory>(tree.at("site").string(), options);
    }
    return *store_;
  }

  Tree tree;
  bool dotfiles = false;

  // A thread exchanges two names of the site, one of which leaves it, as fast as it can.
  void expect_no_secret_while_swapped(const std::string& one, const std::string& other,
                                      const std::string& below) {
    std::atomic<bool> stop = false;
    int swaps = 0;
    std::thread swapper([&] {
      const std::string from = tree.at("site/" + one);
      const std::string to = tree.at("site/" + other);
      while (!stop) {
        if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) ++swaps;
      }
    });
    int inside = 0;
    for (int i = 0; i < 5'000 || (inside == 0 && i < 1'000'000); ++i) {
      auto value = get((i % 2 == 0 ? one : other) + below);
      if (!value) continue;
      ++inside;
      if (base::text_of(*value) != "inside") {
        ADD_FAILURE() << "served " << base::text_of(*value);
        break;
      }
    }
    stop = true;
    swapper.join();
    EXPECT_GT(inside, 0);
    EXPECT_GT(swaps, 0);
  }

 private:
  std::unique_ptr<Directory> store_;
};

}  // namespace kv
