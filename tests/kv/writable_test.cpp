// SPDX-License-Identifier: ISC
// kv/directory/writable: modes, locks, what a crash left behind, what is not shown, full disks.

#include "kv/directory/writable.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/base/simulated_time.hpp"
#include "tests/kv/tree.hpp"

namespace kv {
namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat meta {};
  EXPECT_EQ(::stat(path.c_str(), &meta), 0) << path;
  return meta.st_mode & 07777U;
}
ChangeResult<void> set(WritableDirectory& vault, Key key, std::string_view text) {
  return vault.set(key, base::bytes_of(text)).value;
}
std::string get(WritableDirectory& vault, Key key) {
  const auto value = vault.get(key, Encoding::identity).value;
  return value ? std::string(base::text_of(Bytes(*value))) : "(none)";
}
std::size_t names_in(const Tree& tree) {
  const auto all = std::filesystem::recursive_directory_iterator(tree.path());
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(WritableDirectory, IsForItsOwnerOnly) {
  const Tree tree;
  WritableDirectory vault(tree.path());
  const auto old_mask = ::umask(0);
  EXPECT_TRUE(set(vault, "tls/key", "secret"));
  tree.write("open", "for everyone");
  std::filesystem::permissions(tree.at("open"), std::filesystem::perms(0644));
  EXPECT_TRUE(set(vault, "open", "no more"));
  ::umask(old_mask);
  EXPECT_EQ(mode_of(tree.at("tls")), 0700U);
  EXPECT_EQ(mode_of(tree.at("tls/key")), 0600U);
  EXPECT_EQ(mode_of(tree.at("open")), 0600U);
}

TEST(WritableDirectory, IsOneProcesss) {
  const Tree tree;
  const WritableDirectory vault(tree.path());
  try {
    const WritableDirectory other(tree.path());
    FAIL() << "two have it";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), "the vault " + tree.path() + " is in use by another process");
  }
  EXPECT_THROW(WritableDirectory("/nowhere/vault"), std::runtime_error);
}

TEST(WritableDirectory, WhatACrashLeftIsReplaced) {
  const Tree tree;
  tree.write("tls/.key.new", "half a se");
  WritableDirectory vault(tree.path());
  EXPECT_EQ(get(vault, "tls/.key.new"), "(none)");
  EXPECT_EQ(vault.list("tls").value->size(), 0U);
  EXPECT_TRUE(set(vault, "tls/key", "secret"));
  EXPECT_EQ(get(vault, "tls/key"), "secret");
  EXPECT_EQ(names_in(tree), 2U);
}

TEST(WritableDirectory, LinksLeadNowhereElse) {
  const Tree outside;
  outside.write("secret", "of somebody else");
  const Tree tree;
  tree.link("away", outside.path());
  tree.link("file", outside.path() + "/secret");
  tree.write("..data/inside", "as in Kubernetes");
  tree.link("inside", "..data/inside");
  WritableDirectory vault(tree.path());
  EXPECT_EQ(get(vault, "away/secret"), "(none)");
  EXPECT_EQ(get(vault, "file"), "(none)");
  EXPECT_EQ(get(vault, "inside"), "as in Kubernetes");
  EXPECT_FALSE(set(vault, "away/new", "x"));
  EXPECT_TRUE(set(vault, "file", "mine")) << "the link is replaced, not followed";
  EXPECT_EQ(names_in(outside), 1U);
  std::ifstream file(outside.at("secret"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "of somebody else");
}

// A file size limit stands for a full disk: the write ends early.
TEST(WritableDirectory, AWriteThatFailsLeavesTheOldValue) {
  const Tree tree;
  WritableDirectory vault(tree.path());
  EXPECT_TRUE(set(vault, "a", "old"));
  const std::size_t before = names_in(tree);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{1000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const ChangeResult<void> again = set(vault, "a", std::string(5000, 'x'));
  const ChangeResult<void> below = set(vault, "b/c/d", std::string(5000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(again.error(), ChangeError::unavailable);
  EXPECT_EQ(below.error(), ChangeError::unavailable);
  EXPECT_EQ(get(vault, "a"), "old");
  EXPECT_EQ(names_in(tree), before) << "no temporary file, no empty directory";
}

TEST(WritableDirectory, AValueThatIsTooLargeCannotBeRead) {
  const Tree tree;
  tree.write("large", std::string(vault_value_bytes_max + 1, 'x'));
  WritableDirectory vault(tree.path());
  EXPECT_EQ(vault.get("large", Encoding::identity).value.error(), Error::unavailable);
}

}  // namespace
}  // namespace kv
