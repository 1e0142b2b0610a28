// SPDX-License-Identifier: ISC
// tests/http/site/hostile_test.cpp: rules files that should hurt: what is bounded, what is refused,
// and that every line without effect is said.
//
// Method: texts at and beyond the limits; patterns on the worst paths; plans cut and changed.

#include <gtest/gtest.h>

#include <array>

#include "http/site/compile.hpp"
#include "http/site/fields.hpp"
#include "http/site/route.hpp"

namespace {

using namespace http::site;

Compiled compiled(const std::string& redirects, const std::string& headers,
                  std::optional<Dialect> dialect = Dialect::cloudflare) {
  SiteSettings settings;
  settings.dialect = dialect;
  SiteFiles files;
  files.text = [&](const std::string& key) -> std::optional<std::string> {
    const std::string& text = key == "_redirects" ? redirects : headers;
    if (text.empty()) return std::nullopt;
    return text;
  };
  files.has = [](const std::string&) { return false; };
  return compile(settings, {}, files);
}

std::string all_of(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings) text += finding.message() + "\n";
  return text;
}

std::string location_of(const Compiled& site, const std::string& path) {
  const std::optional<Plan> plan = Plan::open(site.plan);
  if (!plan) return "no plan";
  static std::array<char, 16384> address, key, location;
  Asked asked;
  asked.host = "a";
  asked.target = path;
  asked.key = std::string_view(path).substr(1);
  Route route;
  route.start(*plan, asked, address, key, location);
  return route.end() == Route::End::redirect ? std::string(route.location()) : "";
}

TEST(SiteHostile, PatternsCostPartsTimesBytes) {
  const Compiled site = compiled("/:a-:b-:c-:d-:e /x 301\n/*/:p/:q/:r /y 301\n", "");
  EXPECT_EQ(location_of(site, "/" + std::string(4096, '-')), "/x");
  EXPECT_EQ(location_of(site, "/" + std::string(4096, '-') + "/"), "");
  EXPECT_EQ(location_of(site, "/1-2-3-4-5"), "/x");
  EXPECT_EQ(location_of(site, "/a/b/c/d"), "/y");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "/" + std::to_string(i) + "/:a-:b-:c-:d /x\n";
  EXPECT_EQ(location_of(compiled(many, ""), "/999/1-2-3-4"), "/x");
}

TEST(SiteHostile, LimitsAreErrorsThatNameTheNumber) {
  std::string rules;
  for (int i = 0; i < 65'536; ++i) rules += "/" + std::to_string(i) + " /x\n";
  EXPECT_FALSE(compiled(rules, "").has_errors());
  EXPECT_NE(all_of(compiled(rules + "/more /x\n", "").findings).find("65,536"), std::string::npos);
  std::string dynamic, blocks;
  for (int i = 0; i < 1001; ++i) {
    dynamic += "/" + std::to_string(i) + "/* /x\n";
    blocks += "/" + std::to_string(i) + "\n  X-A: 1\n";
  }
  EXPECT_NE(all_of(compiled(dynamic, "").findings).find("1,000"), std::string::npos);
  EXPECT_NE(all_of(compiled("", blocks + "/last\n  X-A: 1\n").findings).find("1,000"),
            std::string::npos);
  const std::string line = "/a /" + std::string(1U << 19U, 'x');
  EXPECT_NE(all_of(compiled(line, "").findings).find("_redirects:1: "), std::string::npos);
  EXPECT_NE(all_of(compiled("", "/*\n X-A: " + line).findings).find("_headers:2: "),
            std::string::npos);
  EXPECT_TRUE(compiled(std::string((1U << 20U) + 1, '#'), "").has_errors());
  EXPECT_TRUE(compiled("", "/*\n  X-A: " + std::string(8000, 'x') +
                               "\n  X-B: " + std::string(8000, 'y') + "\n")
                  .has_errors());
  EXPECT_EQ(location_of(compiled("/a/:1a/:b/:c/:d/:e/:f/:g/:h/:i/:j /x\n", ""), "/a"), "");
}

// The limit is for all blocks that fit one address.
TEST(SiteHostile, FieldsOfOneAddressAreAddedUp) {
  const std::string x(5000, 'x');
  EXPECT_TRUE(compiled("", "/*\n  X-A: " + x + "\n/docs/*\n  X-B: " + x + "\n").has_errors());
  EXPECT_TRUE(
      compiled("", "https://h.example/*\n  X-A: " + x + "\n/*\n  X-B: " + x + "\n").has_errors());
  EXPECT_FALSE(compiled("", "/a/*\n  X-A: " + x + "\n/b/*\n  X-B: " + x + "\n").has_errors());
  // Of two blocks that set the same field, Netlify's later one wins.
  const std::string both = "/*\n  X-A: " + x + "\n/docs/*\n  X-A: " + x + "\n";
  EXPECT_TRUE(compiled("", both).has_errors());
  EXPECT_FALSE(compiled("", both, Dialect::netlify).has_errors());
}

// What is said, and the time that it takes, is bounded, however large the files are.
TEST(SiteHostile, LargeFilesAreBounded) {
  std::string bad, names, rules;
  while (bad.size() < 300'000) bad += "x\n";
  EXPECT_LT(compiled(bad, bad).findings.size(), 1100U);
  while (names.size() < 8000) names += ":a" + std::to_string(names.size());
  std::string many;
  while (many.size() + names.size() < 1'000'000) many += "/" + names + " /x\n";
  EXPECT_LT(compiled(many, "").findings.size(), 1100U);
  for (int i = 0; i < 1000; ++i) rules += "/:a-:b-:c-:d-:e-:f-:g-" + std::to_string(i) + " /x\n";
  for (int i = 0; i < 20'000; ++i) rules += "/-" + std::to_string(i) + " /x\n";
  EXPECT_FALSE(compiled(rules, "").has_errors());
}

TEST(SiteHostile, NothingIsPutIntoAHead) {
  const std::string nul("/a\0b /x 301\n/ok /y 301\n", 23);
  const Compiled site = compiled(nul + "/cr /x\rSet-Cookie:a 301\n/u /\x01x\n",
                                 "/*\n  X-A: 1\x01\n  X-B: 2\rX-C: 3\n  X D: 4\n  X-E: 5\n");
  EXPECT_EQ(location_of(site, "/ok"), "/y");
  EXPECT_EQ(location_of(site, "/cr"), "");
  EXPECT_EQ(location_of(site, "/u"), "");
  const std::optional<Plan> plan = Plan::open(site.plan);
  ASSERT_TRUE(plan);
  std::array<char, 512> lines;
  http::Writer out(lines);
  write_fields(*plan, plan->sites()[0], "/", "a", false, out);
  EXPECT_EQ(out.written(), "X-E: 5\r\n");
}

TEST(SiteHostile, ALocationStaysOnThisHost) {
  const Compiled site = compiled("/e* /:splat 302\n/n/* /:splat/:splat 302\n/s /x//y 301\n", "");
  EXPECT_EQ(location_of(site, "/e/evil.example"), "/evil.example");
  EXPECT_EQ(location_of(site, "/e//evil.example"), "/evil.example");
  EXPECT_EQ(location_of(site, "/e%2f%2fevil.example"), "/%2F%2Fevil.example");
  EXPECT_EQ(location_of(site, "/e\\evil.example"), "/%5Cevil.example");
  EXPECT_EQ(location_of(site, "/n/a"), "/a/a");
  EXPECT_EQ(location_of(site, "/s"), "/x/y");
  EXPECT_EQ(location_of(compiled("/s /x//y 301\n", ""), "/s"), "/x//y");
  EXPECT_EQ(location_of(compiled("/s //evil.example/x//y 301\n", ""), "/s"), "/evil.example/x//y");
}

TEST(SiteHostile, APlanThatIsCutOrChangedDoesNotOpen) {
  const std::vector<std::byte> plan =
      compiled("/a /b\n/c/* /d/:splat\n/e/:x /f/:x?:x#:x 302\n", "/*\n  X-A: 1\n").plan;
  ASSERT_TRUE(Plan::open(plan));
  for (std::size_t size = 0; size < plan.size(); ++size) {
    std::vector<std::uint64_t> words(size / 8 + 1);
    std::copy(plan.begin(), plan.begin() + static_cast<std::ptrdiff_t>(size),
              reinterpret_cast<std::byte*>(words.data()));
    EXPECT_FALSE(Plan::open({reinterpret_cast<const std::byte*>(words.data()), size})) << size;
  }
  // Of what opens though a byte is another, nothing lies outside: the sanitizers see to that.
  static std::array<char, 1024> address, key, location, lines;
  for (std::size_t at = 0; at < plan.size(); ++at) {
    for (const int change : {1, 0x80, 0xFF}) {
      std::vector<std::byte> changed = plan;
      changed[at] ^= static_cast<std::byte>(change);
      const std::optional<Plan> opened = Plan::open(changed);
      if (!opened) continue;
      Asked asked;
      asked.target = "/e/x";
      asked.key = "e/x";
      Route route;
      route.start(*opened, asked, address, key, location);
      http::Writer out(lines);
      if (!route.address().empty()) {
        write_fields(*opened, route.site(), route.address(), "a", false, out);
      }
    }
  }
}

// ---- what is said -----------------------------------------------------------------------------

struct Said {
  const char* redirects;
  const char* headers;
  Dialect dialect;
  const char* finding;
};
constexpr Said said[] = {
    {"/menu menu.html 200\n", "", Dialect::cloudflare,
     "_redirects:1: \"/menu menu.html 200\": the target does not begin with \"/\"; Cloudflare and "
     "Netlify ignore such a line; write \"/menu.html\""},
    {"/gone\n", "", Dialect::cloudflare, "_redirects:1: \"/gone\": has no target"},
    {"/a /b 418\n", "", Dialect::cloudflare, "the status must be"},
    {"/a /b 301 c\n", "", Dialect::cloudflare, "more than three words"},
    {"/a /b\n/a /c\n", "", Dialect::cloudflare, "_redirects:2: \"/a /c\": never reached"},
    {"/* /b\n/a /c\n", "", Dialect::cloudflare,
     "_redirects:2: never reached: \"/*\" in line 1 comes first"},
    {"/* /app/index.html 200\n", "", Dialect::cloudflare, "would lead to itself"},
    {"/a/* /b\n/a/:x /c\n", "", Dialect::cloudflare, "_redirects:2: never reached"},
    {"/p/*/q/* /r\n", "", Dialect::cloudflare, "matches nothing"},
    {"/i/:id/:idx /r\n", "", Dialect::cloudflare, "the name \":idx\" begins with \":id\""},
    {"/a https://b.example/ 200\n/a /c\n", "", Dialect::cloudflare,
     "_redirects:2: \"/a /c\": never"},
    {"/admin 200\n", "", Dialect::netlify, "only \"SOURCE/* 200\" needs none"},
    {"", "/a?b\n  X-A: 1\n", Dialect::cloudflare, "queries and fragments are not compared"},
    {"/u/:id/:id /r\n", "", Dialect::cloudflare, "matches nothing"},
    {"https://a.example/x /y\n", "", Dialect::cloudflare, "names a host"},
    {"/a http://b.example/\n", "", Dialect::cloudflare, "must begin with"},
    {"/a https://b.example/ 200\n", "", Dialect::cloudflare, "a rewrite to another site"},
    {"/w /w Country=ie\n", "", Dialect::netlify,
     "_redirects:1: \"/w /w Country=ie\": Country=ie: an appliance does not know where visitors "
     "are; take the condition away, or say unsupported = \"warn\""},
    {"/w /w Role=x\n", "", Dialect::netlify, "who visitors are"},
    {"/w /x Weather=rain\n", "", Dialect::netlify, "no condition that is known"},
    {"/a /x 3o1\n", "", Dialect::netlify, "the status 3 is none"},
    {"/a https://api.example/ 200\n", "", Dialect::netlify, "does not fetch pages"},
    {"", "*.woff2\n  X-A: 1\n", Dialect::cloudflare,
     "_headers:1: \"*.woff2\" is no path; write \"/*.woff2\"; its fields are left out"},
    {"", "/*\n  CSP:\n    default-src 'self';\n", Dialect::cloudflare,
     "a value stands on one line"},
    {"", "/*\n  X-A: 1\n/*\n  X-B: 2\n", Dialect::cloudflare,
     "again: as on Cloudflare this block replaces the one in line 1"},
    {"", "/*\n  Content-Length: 5\n  X-A: 1\n", Dialect::cloudflare, "the server's own to say"},
    {"", "  X-A: 1\n/*\n  X-B: 1\n", Dialect::cloudflare, "there is no path above it"},
    {"", "/empty\n/*\n  X-A: 1\n", Dialect::cloudflare, "_headers:1: \"/empty\": a block without"},
    {"", "/*\n  ! X-A\n  X-B: 1\n", Dialect::netlify, "Netlify ignores such a line"},
    {"", "/x\n  Basic-Auth: a:b\n", Dialect::netlify, "with from-headers = true"},
    {"/a /b\n", "", Dialect::cloudflare, "1 rules (1 static), 0 blocks, read as Cloudflare's"},
};

TEST(SiteFindings, EveryLineWithoutEffect) {
  for (const Said& row : said) {
    const std::string text = all_of(compiled(row.redirects, row.headers, row.dialect).findings);
    EXPECT_NE(text.find(row.finding), std::string::npos) << row.redirects << row.headers << text;
  }
}

// What a file has in it does not reach a terminal as it is.
TEST(SiteFindings, ArePrintable) {
  const std::string escape = "\x1B[31m", c1 = "\xC2\x9B"
                                              "31m";
  for (const Dialect dialect : {Dialect::cloudflare, Dialect::netlify}) {
    const std::string text =
        all_of(compiled("/a b" + c1 + " 301\n/" + escape + " /x\n/q " + escape + "=1 /x\n/w /w X" +
                            c1 + "\n/m m\x80\n",
                        "/*\n  ! " + escape + "\n  X" + c1 + ": 1\n  X-A: " + escape + "\n*" +
                            escape + "\n/caf\xC3\xA9\n",
                        dialect)
                   .findings);
    EXPECT_EQ(text.find('\x1B'), std::string::npos) << text;
    EXPECT_EQ(text.find("\xC2\x9B"), std::string::npos) << text;
    EXPECT_NE(text.find("\\x1B[31m"), std::string::npos) << text;
    EXPECT_NE(text.find("\\xC2\\x9B31m"), std::string::npos) << text;
    EXPECT_NE(text.find("m\\x80"), std::string::npos) << text;
  }
  const std::string evidence =
      all_of(compiled("/q " + escape + "=1 /x\n", "", std::nullopt).findings);
  EXPECT_EQ(evidence.find('\x1B'), std::string::npos) << evidence;
}

TEST(SiteFindings, TheDialectIsDecidedByEvidence) {
  EXPECT_NE(all_of(compiled("/a /b 301!\n", "", std::nullopt).findings)
                .find("read as Netlify's: \"!\" in _redirects:1"),
            std::string::npos);
  EXPECT_NE(all_of(compiled("/a /b\n", "/*\n  ! X-A\n  X-B: 1\n", std::nullopt).findings)
                .find("read as Cloudflare's: \"! Name\" in _headers:2"),
            std::string::npos);
  EXPECT_TRUE(compiled("/a /b 301!\n", "/*\n  ! X-A\n", std::nullopt).has_errors());
  EXPECT_NE(all_of(compiled("/a/* /b\n", "", std::nullopt).findings).find("as Cloudflare's"),
            std::string::npos);
}

}  // namespace
