// SPDX-License-Identifier: ISC
// What --exclude means.   Method: a table.
#include "crunch/embed/glob.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using crunch::embed::Glob;

struct Row {
  const char* pattern;
  const char* key;
  bool is_directory;
  bool excludes;
};
constexpr Row rows[] = {
    {"*.psd", "a.psd", false, true},
    {"*.psd", "deep/er/a.psd", false, true},
    {"*.psd", "a.psd.html", false, false},
    {"*.psd", ".psd", false, true},
    {"drafts", "drafts", true, true},
    {"drafts", "a/drafts", false, true},
    {"drafts/", "a/drafts", true, true},
    {"drafts/", "a/drafts", false, false},
    {"/drafts", "drafts", false, true},
    {"/drafts", "a/drafts", false, false},
    {"a/*.md", "a/x.md", false, true},
    {"a/*.md", "a/b/x.md", false, false},
    {"a/*.md", "b/a/x.md", false, false},
    {"a/**.md", "a/b/x.md", false, true},
    {"a/**/x.md", "a/x.md", false, true},
    {"a/**/x.md", "a/b/c/x.md", false, true},
    {"a/**/x.md", "a/bx.md", false, false},
    {"**/x", "x", false, true},
    {"**/x", "a/b/x", false, true},
    {"**/x", "a/bx", false, false},
    {"**", "a/b", false, true},
    {"*", "a/b", false, true},
    {"?", "a", false, true},
    {"?", "ab", false, false},
    {"a?b/c", "a/b/c", false, false},
    {"[a-c]x", "bx", false, true},
    {"[a-c]x", "dx", false, false},
    {"[!a-c]x", "dx", false, true},
    {"[!a-c]x", "ax", false, false},
    {"[]]", "]", false, true},
    {"[a-]", "-", false, true},
    {"[", "[", false, true},
    {"[ab", "[ab", false, true},
    {"[!/]x/y", "/x/y", false, false},
    {R"(\*)", "*", false, true},
    {R"(\*)", "a", false, false},
    {R"(a\)", R"(a\)", false, true},
    {"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", false, true},
    {"", "a", false, false},
    {"/", "a", false, false},
};

TEST(Glob, Table) {
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.pattern) + " on " + row.key);
    EXPECT_EQ(Glob(row.pattern).excludes(row.key, row.is_directory), row.excludes);
  }
}

// With backtracking this takes longer than the universe has.
TEST(Glob, ManyStarsEnd) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(Glob(pattern).excludes(std::string(4000, 'a') + "b", false));
  EXPECT_TRUE(Glob(pattern).excludes(std::string(4000, 'a'), false));
}

}  // namespace
