// SPDX-License-Identifier: ISC
// tests/http/site/server_test.cpp: a server whose site has rules: hosts, and what a request that
// waits for its turn or for its peer is answered.
//
// Method: the server over the network in memory, with a store that never waits and one that always
// does; tests/http/site/cases_test.cpp has the rules themselves.

#include <gtest/gtest.h>

#include "http/site/compile.hpp"
#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using http_test::ScriptedStore;
using http_test::WaitingStore;
using namespace http::site;

// A site in memory, and what it has for rules.
struct Files {
  std::map<std::string, std::string> bytes;

  [[nodiscard]] std::shared_ptr<const Rules> rules(const std::vector<HostSettings>& hosts = {},
                                                   const SiteSettings& settings = {}) const {
    SiteFiles files;
    files.has = [this](const std::string& key) { return bytes.contains(key); };
    files.text = [this](const std::string& key) -> std::optional<std::string> {
      const auto at = bytes.find(key);
      return at == bytes.end() ? std::nullopt : std::optional(at->second);
    };
    const Compiled compiled = compile(settings, hosts, files);
    for (const Finding& finding : compiled.findings) {
      EXPECT_NE(finding.weight, Finding::Weight::error) << finding.message();
    }
    return Rules::open(compiled.plan, false);
  }
};

template <class Store>
class Site {
 public:
  Site(const Files& files, std::shared_ptr<const Rules> rules) {
    for (const auto& [key, bytes] : files.bytes) {
      http_test::site_of(world.store).put(key, bytes, http_test::site_modified_s);
    }
    world.server.use(std::move(rules));
  }
  std::string ask(const std::string& requests) {
    auto wire = world.dial();
    wire->push(requests);
    world.settle();
    std::string answer = wire->take();
    wire->end();
    return answer;
  }
  // "status", "status location" or "status: body".
  std::string outcome(const std::string& request) {
    const std::string answer = ask(request);
    const std::string status = answer.substr(9, 3);
    const std::size_t location = answer.find("\r\nLocation: ");
    if (location != std::string::npos) {
      return status + " " +
             answer.substr(location + 12, answer.find('\r', location + 2) - location - 12);
    }
    return status + ": " + answer.substr(answer.find("\r\n\r\n") + 4);
  }
  http_test::World<Store> world;
};

std::string get_of(const std::string& host, const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}

const Files harbour{{{"index.html", "main"},
                     {"404.html", "main has no such page"},
                     {"_redirects", "/old /new 301\n"},
                     {"docs/index.html", "docs"},
                     {"docs/a.html", "a"},
                     {"docs/404.html", "docs has no such page"},
                     {"docs/_redirects", "/old /newer 301\n"},
                     {"docs/_headers", "/*\n  X-Docs: 1\n"},
                     {"docsy.html", "docsy"}}};
const std::vector<HostSettings> hosts{
    {"harbour.example", {"www.harbour.example", "harbour.pages.dev"}, ""},
    {"docs.harbour.example", {"d.example"}, "docs"}};

struct HostRow {
  std::string host, path, outcome;
};
const HostRow host_rows[] = {
    {"harbour.example", "/", "200: main"},
    {"HARBOUR.example:8080", "/", "200: main"},
    {"www.harbour.example", "/a?b=c", "308 http://harbour.example/a?b=c"},
    {"WWW.Harbour.Example:8080", "/", "308 http://harbour.example:8080/"},
    {"harbour.pages.dev", "/old", "308 http://harbour.example/old"},
    {"d.example", "/", "308 http://docs.harbour.example/"},
    {"docs.harbour.example", "/", "200: docs"},
    {"docs.harbour.example", "/a", "200: a"},
    {"docs.harbour.example", "/a.html", "307 /a"},
    {"docs.harbour.example", "/old", "301 /newer"},
    {"docs.harbour.example", "/nothing", "404: docs has no such page"},
    {"docs.harbour.example", "/docs/", "404: docs has no such page"},
    {"harbour.example", "/old", "301 /new"},
    {"harbour.example", "/docs/", "404: main has no such page"},
    {"harbour.example", "/docs/a", "404: main has no such page"},
    {"harbour.example", "/%64ocs/a.html", "307 /docs/a.html"},
    {"harbour.example", "/docs", "404: main has no such page"},
    {"harbour.example", "/docsy", "200: docsy"},
    {"192.0.2.1", "/", "200: main"},
    {"other.example", "/docs/", "404: main has no such page"},
    {"other.example", "/", "200: main"},
};

TEST(SiteHosts, EachHasItsRoot) {
  Site<ScriptedStore> site(harbour, harbour.rules(hosts));
  for (const HostRow& row : host_rows) {
    EXPECT_EQ(site.outcome(get_of(row.host, row.path)), row.outcome) << row.host << row.path;
  }
  // HTTP/1.0 names none; an absolute form says it in place of Host (RFC 9112 section 3.2.2).
  EXPECT_EQ(site.outcome("GET / HTTP/1.0\r\n\r\n"), "200: main");
  EXPECT_EQ(site.outcome("GET http://docs.harbour.example/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            "200: docs");
  EXPECT_NE(site.ask(get_of("docs.harbour.example", "/")).find("X-Docs: 1"), std::string::npos);
  EXPECT_EQ(site.ask(get_of("harbour.example", "/")).find("X-Docs"), std::string::npos);
}

TEST(SiteHosts, StrictOnesRefuseOthers) {
  SiteSettings strict;
  strict.strict_hosts = true;
  Site<ScriptedStore> site(harbour, harbour.rules(hosts, strict));
  EXPECT_EQ(site.outcome(get_of("other.example", "/")).substr(0, 3), "421");
  EXPECT_EQ(site.outcome(get_of("harbour.example.evil.example", "/")).substr(0, 3), "421");
  EXPECT_EQ(site.outcome("GET / HTTP/1.0\r\n\r\n").substr(0, 3), "421");
  EXPECT_EQ(site.outcome(get_of("harbour.example:1", "/")), "200: main");
  EXPECT_EQ(site.outcome(get_of("www.harbour.example", "/")).substr(0, 3), "308");
}

// Nothing of a Host reaches a Location but the port.
TEST(SiteHosts, APortIsANumber) {
  Site<ScriptedStore> site(harbour, harbour.rules(hosts));
  for (const char* host : {"www.harbour.example:80@evil.example", "www.harbour.example:80/x",
                           "www.harbour.example:evil", "www.harbour.example:80:81"}) {
    EXPECT_EQ(site.outcome(get_of(host, "/")).substr(0, 3), "400") << host;
  }
}

const Files busy{{{"large.bin", std::string(50'000, 'l')},
                  {"a.html", "a"},
                  {"404.html", "none"},
                  {"_redirects", "/moved/* /:splat 301\n/shown /large.bin 200\n"},
                  {"_headers", "/*\n  X-Site: yes\n"}}};

template <class Store>
class SiteServer : public ::testing::Test {};
using Stores = ::testing::Types<ScriptedStore, WaitingStore>;
TYPED_TEST_SUITE(SiteServer, Stores);

// A request that has no room for its head is routed again once the peer has taken what waits.
TYPED_TEST(SiteServer, PipelinedRequestsAreAnsweredInTheirOrder) {
  const std::string requests =
      get_of("h", "/moved/x") + get_of("h", "/a") + get_of("h", "/shown") + get_of("h", "/none") +
      "GET /shown HTTP/1.1\r\nHost: h\r\nRange: bytes=1-2,40000-40001\r\n\r\n" +
      "HEAD /shown HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string many;
  for (int i = 0; i < 30; ++i) many += requests;
  std::string one;
  for (const std::size_t capacity : {std::size_t{1} << 20U, std::size_t{50}}) {
    Site<TypeParam> site(busy, busy.rules());
    auto wire = site.world.dial();
    wire->pipes[1].capacity = capacity;
    wire->push(many);
    std::string answers;
    for (int quiet = 0; quiet < 3;) {
      site.world.settle();
      const std::string more = wire->take();
      quiet = more.empty() ? quiet + 1 : 0;
      answers += more;
    }
    wire->end();
    std::size_t with_field = 0;
    for (std::size_t at = 0; (at = answers.find("X-Site: yes\r\n", at)) != std::string::npos; ++at)
      ++with_field;
    EXPECT_EQ(with_field, 180U);
    if (one.empty()) {
      one = answers;
    } else {
      EXPECT_TRUE(answers == one);
    }
  }
}

// A store that is read live has them beside the pages.
TYPED_TEST(SiteServer, WhatIsAboutTheSiteIsNotServed) {
  Files files = busy;
  files.bytes["crunch.toml"] = "[site]\n";
  files.bytes["deep/_headers"] = "deep";
  for (const bool has_rules : {false, true}) {
    Site<TypeParam> site(files, has_rules ? files.rules() : nullptr);
    for (const char* path :
         {"/_headers", "/_redirects", "/crunch.toml", "/%5fheaders", "//_headers"}) {
      EXPECT_EQ(site.outcome(get_of("h", path)).substr(0, 3),
                has_rules && std::string_view(path).find_first_of("%/", 1) < 3 ? "307" : "404")
          << path;
    }
    EXPECT_EQ(site.outcome(get_of("h", "/deep/_headers")), "200: deep");
  }
}

// Nor by a rule that leads to it.
TYPED_TEST(SiteServer, NoRuleLeadsToWhatIsAboutTheSite) {
  Files files = busy;
  files.bytes["_redirects"] = "/p/* /:splat 200\n/q /_headers 200\n";
  files.bytes["deep/_headers"] = "deep";
  Site<TypeParam> site(files, files.rules());
  for (const char* path : {"/p/_headers", "/p/_redirects", "/p/crunch.toml", "/p/.crunch/plan",
                           "/p/.crunch", "/p/%2e%63runch/plan", "/q"}) {
    EXPECT_EQ(site.outcome(get_of("h", path)).substr(0, 3), "404") << path;
  }
  EXPECT_EQ(site.outcome(get_of("h", "/p/deep/_headers")), "200: deep");
}

// The address asked, also where a rule writes it whole.
TYPED_TEST(SiteServer, ARuleThatLeadsToItselfIsPassedOver) {
  Files files = busy;
  files.bytes["_redirects"] = "/* http://site.example/:splat 301!\n";
  SiteSettings netlify;
  netlify.dialect = Dialect::netlify;
  Site<TypeParam> site(files, files.rules({}, netlify));
  EXPECT_EQ(site.outcome(get_of("site.example", "/a")), "200: a");
  EXPECT_EQ(site.outcome(get_of("SITE.example", "/a?b")), "200: a");
  EXPECT_EQ(site.outcome(get_of("other.example", "/a?b")), "301 http://site.example/a?b");
  EXPECT_EQ(site.outcome(get_of("site.example:81", "/a")), "301 http://site.example/a");
}

// Above the limit that only captures reach, nothing is left out in silence.
TEST(SiteServerLimits, FieldsThatDoNotFitAreA503) {
  Files files = busy;
  std::string value;
  for (int i = 0; i < 20; ++i) value += ":splat ";
  files.bytes["_headers"] = "/*\n  X-A: " + value + "\n";
  Site<ScriptedStore> site(files, files.rules());
  EXPECT_EQ(site.outcome(get_of("h", "/a")).substr(0, 3), "200");
  EXPECT_EQ(site.outcome(get_of("h", "/" + std::string(600, 'x'))).substr(0, 3), "503");
}

}  // namespace
