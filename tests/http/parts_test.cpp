// SPDX-License-Identifier: ISC
// tests/http/parts_test.cpp: targets, ranges, entity tags and lookups, each alone.
//
// Method:  tables; the edges that no request of the conformance table reaches.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "http/conditions.hpp"
#include "http/lookup.hpp"
#include "http/parser.hpp"
#include "http/ranges.hpp"
#include "http/syntax.hpp"
#include "http/target.hpp"

namespace {

using http::TargetError;

// Whatever the target, its key is in normal form.
bool is_normal(std::string_view key) {
  if (key.empty()) return true;
  std::string_view rest = key;
  for (;;) {
    std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (segment.find('\0') != std::string_view::npos) return false;
    if (segment.size() == rest.size()) return true;
    rest.remove_prefix(segment.size() + 1);
  }
}

TEST(Target, NeverLeavesTheNormalForm) {
  const std::string_view parts[] = {"/", "..", ".",   "%2e", "%2E", "%2f",
                                    "a", "%",  "%00", "%5c", "\\",  "//",
                                    "?", "#",  "%ff", "%c",  "..;", "\xc0\xae"};
  std::mt19937 random(11);
  char buffer[64];
  int keys = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string target = "/";
    for (auto n = random() % 10; n > 0; --n) target += parts[random() % std::size(parts)];
    std::size_t room = random() % sizeof buffer;
    http::Target parsed = http::parse_target(target, std::span(buffer).first(room));
    if (parsed.error != TargetError::none) continue;
    ++keys;
    ASSERT_TRUE(is_normal(parsed.key)) << target << " -> " << parsed.key;
    ASSERT_LE(parsed.key.size(), room);
    ASSERT_EQ(parsed.key.data(), buffer);
  }
  EXPECT_GT(keys, 10'000);
}

TEST(Target, TooLongForItsBuffer) {
  char buffer[5];
  EXPECT_EQ(http::parse_target("/abc", buffer).key, "abc");
  EXPECT_EQ(http::parse_target("/abcd", buffer).error, TargetError::too_long);
  EXPECT_EQ(http::parse_target("/?abc", buffer).error, TargetError::too_long);
  EXPECT_EQ(http::parse_target({"/\0a", 3}, buffer).error, TargetError::malformed);
}

TEST(Ranges, OfSizesAtTheEdges) {
  using Kind = http::Ranges::Kind;
  constexpr std::uint64_t most = ~std::uint64_t{0};
  auto one = [](std::string_view text, std::uint64_t size) {
    return http::parse_ranges(text, size, 16);
  };
  EXPECT_EQ(one("bytes=0-", most).at[0], (http::Range{0, most}));
  EXPECT_EQ(one("bytes=1-18446744073709551615", most).at[0], (http::Range{1, most - 1}));
  EXPECT_EQ(one("bytes=18446744073709551614-", most).at[0], (http::Range{most - 1, 1}));
  EXPECT_EQ(one("bytes=18446744073709551615-", most).kind, Kind::unsatisfiable);
  EXPECT_EQ(one("bytes=-18446744073709551616", 5).at[0], (http::Range{0, 5}));
  EXPECT_EQ(one("bytes=0-0", 0).kind, Kind::unsatisfiable);
  EXPECT_EQ(one("bytes=-1", 0).kind, Kind::unsatisfiable);
  EXPECT_EQ(one("bytes", 5).kind, Kind::whole);
  EXPECT_EQ(one("", 5).kind, Kind::whole);
  EXPECT_EQ(http::parse_ranges("bytes=0-0,2-2", 5, 1).kind, Kind::whole);
  EXPECT_EQ(http::parse_ranges("bytes=0-0,2-2", 5, 2).count, 2);
}

TEST(Etags, Lists) {
  const std::string tag = "\"" + std::string(32, 'a') + "\"";
  struct Row {
    std::string list;
    bool strong, weak;
  };
  const Row rows[] = {{tag, true, true},
                      {"W/" + tag, false, true},
                      {"\"x\"," + tag, true, true},
                      {" , ,\t" + tag + " ", true, true},
                      {"\"a,b\", " + tag, true, true},
                      {"w/" + tag, false, false},
                      {tag.substr(1), false, false},
                      {tag.substr(0, 33), false, false},
                      {"x, " + tag, false, false},
                      {"", false, false},
                      {"\"\"", false, false},
                      {"*", false, false}};
  for (const Row& row : rows) {
    bool strong = false, weak = false, is_weak = false;
    std::string_view list = row.list, found;
    while (http::next_etag(list, found, is_weak)) {
      bool same = found == std::string(32, 'a');
      weak |= same;
      strong |= same && !is_weak;
    }
    EXPECT_EQ(strong, row.strong) << row.list;
    EXPECT_EQ(weak, row.weak) << row.list;
  }
}

TEST(Syntax, Decimals) {
  EXPECT_EQ(http::parse_decimal("0"), 0U);
  EXPECT_EQ(http::parse_decimal("007"), 7U);
  EXPECT_EQ(http::parse_decimal("18446744073709551615"), ~std::uint64_t{0});
  EXPECT_EQ(http::parse_decimal("18446744073709551616"), ~std::uint64_t{0});
  EXPECT_EQ(http::parse_decimal("99999999999999999999999999999"), ~std::uint64_t{0});
  for (std::string_view bad : {"", "-1", "+1", " 1", "1 ", "0x1", "a"}) {
    EXPECT_EQ(http::parse_decimal(bad), std::nullopt) << bad;
  }
}

// Runs a lookup against a tree of names; answers where it ended, and the keys asked for.
struct Walk {
  http::Lookup::End end;
  std::string key;
  std::string asked;
};
Walk walk(const std::map<std::string, kv::Error>& tree, std::string_view key, bool directory) {
  std::vector<char> buffer(key.size() + http::lookup_slack);
  std::ranges::copy(key, buffer.begin());
  http::Lookup lookup;
  lookup.start(key.size(), directory, buffer);
  Walk walk;
  for (int steps = 0; lookup.wants() && steps < 100; ++steps) {
    walk.asked += std::string(lookup.key()) + " ";
    auto at = tree.find(std::string(lookup.key()));
    kv::Result<kv::Stat> answer = base::failure(kv::Error::not_found);
    // `not_found` in the tree stands for a value that is there.
    if (at != tree.end() && at->second == kv::Error::not_found) answer = kv::Stat{};
    if (at != tree.end() && at->second != kv::Error::not_found) answer = base::failure(at->second);
    lookup.take(answer);
  }
  walk.end = lookup.end();
  walk.key = lookup.key();
  return walk;
}

TEST(Lookup, EveryWay) {
  using End = http::Lookup::End;
  constexpr kv::Error value = kv::Error::not_found, dictionary = kv::Error::value_expected;
  const std::map<std::string, kv::Error> tree{
      {"404.html", value},           {"a", dictionary},
      {"a/404.html", value},         {"a/b", dictionary},
      {"a/b/index.html", value},     {"c", dictionary},
      {"index.html", value},         {"c/index.html", dictionary},
      {"d", kv::Error::unavailable}, {"e/404.html", dictionary}};
  EXPECT_EQ(walk(tree, "", true).key, "index.html");
  EXPECT_EQ(walk(tree, "a/b", true).key, "a/b/index.html");
  Walk moved = walk(tree, "a/b", false);
  EXPECT_EQ(moved.end, End::moved);
  EXPECT_EQ(moved.key, "a/b");
  Walk page = walk(tree, "a/x/y", false);
  EXPECT_EQ(page.end, End::page_404);
  EXPECT_EQ(page.asked, "a/x/y a/x/y.html a/x/404.html a/404.html ");
  EXPECT_EQ(walk(tree, "a", false).asked, "a a/index.html a.html a/404.html ");
  EXPECT_EQ(walk(tree, "c", false).asked, "c c/index.html c.html c/404.html 404.html ");
  EXPECT_EQ(walk(tree, "c", true).asked, "c/index.html c/404.html 404.html ");
  EXPECT_EQ(walk(tree, "e/x", false).asked, "e/x e/x.html e/404.html 404.html ");
  EXPECT_EQ(walk(tree, "d", false).end, End::unavailable);
  Walk clean = walk({{"f.html", value}, {"c", dictionary}, {"c.html", value}}, "f", false);
  EXPECT_EQ(clean.end, End::found);
  EXPECT_EQ(clean.key, "f.html");
  // Beside a folder that has no page of its own, too; not behind a slash.
  EXPECT_EQ(walk({{"c", dictionary}, {"c.html", value}}, "c", false).key, "c.html");
  EXPECT_EQ(walk({{"f.html", value}}, "f", true).end, End::absent);
  Walk absent = walk({}, "x/y", false);
  EXPECT_EQ(absent.end, End::absent);
  EXPECT_EQ(absent.asked, "x/y x/y.html x/404.html 404.html ");
}

TEST(Lookup, DeepKeysMakeBoundedWork) {
  std::string key = "x";
  for (int i = 0; i < 1000; ++i) key += "/x";
  std::string asked = walk({}, key, false).asked;
  EXPECT_LE(std::ranges::count(asked, ' '), http::pages_max + 2);
  EXPECT_TRUE(asked.ends_with(" 404.html "));
}

// Beast reads the same framing from every head that we take.
TEST(Parser, AgreesWithBeast) {
  const std::string_view values[] = {"chunked", "3", "close", "keep-alive", "x", "", "a, close"};
  const std::string_view names[] = {"Transfer-Encoding", "Content-Length", "Connection", "X",
                                    "CONNECTION",        "Accept"};
  std::mt19937 random(5);
  http::Options options;
  http::HeadParser parser(options);
  int taken = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string head = random() % 4 == 0 ? "GET / HTTP/1.0\r\n" : "POST /x?y HTTP/1.1\r\n";
    head += "Host: a\r\n";
    for (auto n = random() % 4; n > 0; --n) {
      head += std::string(names[random() % std::size(names)]) + ": " +
              std::string(values[random() % std::size(values)]) + "\r\n";
    }
    head += "\r\n";
    parser.reset();
    if (parser.parse(head) != http::Parse::complete) continue;
    ++taken;
    ASSERT_TRUE(http::beast_agrees(parser.request())) << head;
  }
  EXPECT_GT(taken, 5'000);
}

}  // namespace
