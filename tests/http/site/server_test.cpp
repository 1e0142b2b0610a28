// SPDX-License-Identifier: ISC
// tests/http/site/server_test.cpp: a server whose site has rules: hosts, and what a request that
// waits for its turn or for its peer is answered.
//
// Method: the server over the network in memory, with a store that never waits and one that always
// does; tests/http/site/cases_test.cpp has the rules themselves.

#include <gtest/gtest.h>

#include "tests/http/site/site.hpp"

namespace {

using namespace http_test;
using namespace http::site;

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

// An alias and plain HTTP are one hop from the canonical name over HTTPS (308, no body,
// the site's fields but HSTS).
TEST(SiteHosts, AliasAndHttpsAreOneHop) {
  http::Options to_https;
  to_https.https_port = 443;
  Files files = harbour;
  files.bytes["_headers"] = "/*\n  X-Main: 1\n  Strict-Transport-Security: max-age=9\n";
  Site<ScriptedStore> site(files, files.rules(hosts), to_https);
  const HostRow rows[] = {
      {"www.harbour.example", "/a?b=c", "308 https://harbour.example/a?b=c"},
      {"harbour.example:80", "/old", "308 https://harbour.example/old"},
      {"d.example:8080", "/", "308 https://docs.harbour.example/"},
      {"docs.harbour.example", "/%61", "308 https://docs.harbour.example/a"},
      {"other.example", "/x//y", "308 https://other.example/x/y"},
  };
  for (const HostRow& row : rows) {
    EXPECT_EQ(site.outcome(get_of(row.host, row.path)), row.outcome) << row.host << row.path;
  }
  const std::string answer = site.ask(get_of("www.harbour.example", "/"));
  EXPECT_NE(answer.find("X-Main: 1"), std::string::npos);
  EXPECT_EQ(answer.find("Strict-Transport"), std::string::npos);
  EXPECT_NE(answer.find("Content-Length: 0"), std::string::npos);
  EXPECT_EQ(site.outcome("OPTIONS / HTTP/1.1\r\nHost: www.harbour.example\r\n\r\n").substr(0, 3),
            "204");
  EXPECT_EQ(site.outcome("GET / HTTP/1.0\r\n\r\n").substr(0, 3), "400");

  to_https.https_port = 8443;
  Site<ScriptedStore> other(harbour, harbour.rules(), to_https);
  EXPECT_EQ(other.outcome(get_of("a.example:8080", "/x")), "308 https://a.example:8443/x");

  http::Options secure;
  secure.is_secure = true;
  Site<ScriptedStore> over_tls(files, files.rules(hosts), secure);
  EXPECT_EQ(over_tls.outcome(get_of("www.harbour.example:8443", "/")),
            "308 https://harbour.example:8443/");
  EXPECT_NE(
      over_tls.ask(get_of("harbour.example", "/")).find("Strict-Transport-Security: max-age=9"),
      std::string::npos);
}

// Everything outside of the base is not there; rules are written with it.
TEST(SiteBase, IsWhereTheSiteIs) {
  const Files files{{{"index.html", "main"},
                     {"a.html", "a"},
                     {"deep/index.html", "deep"},
                     {"404.html", "no such page"},
                     {"deep/404.html", "nothing deep"},
                     {".well-known/acme-challenge/token", "proof"},
                     {"project/x.html", "twice"},
                     {"_redirects",
                      "/project/old /project/a 301\n/old /project/a 301\n"
                      "/project/r /project/a 200\n/project/out /a 200\n"},
                     {"_headers", "/project/*\n  X-In: 1\n"}}};
  SiteSettings settings;
  settings.base = "/project/";
  Site<ScriptedStore> site(files, files.rules({}, settings));
  const HostRow rows[] = {
      {"h", "/", "307 /project/"},
      {"h", "/?q", "307 /project/?q"},
      {"h", "/project", "307 /project/"},
      {"h", "/project/", "200: main"},
      {"h", "/project/index.html", "307 /project/"},
      {"h", "/project/a", "200: a"},
      {"h", "/project/a.html", "307 /project/a"},
      {"h", "/project/a/", "307 /project/a"},
      {"h", "/project/deep", "307 /project/deep/"},
      {"h", "/project/deep/", "200: deep"},
      {"h", "/project/deep/none", "404: nothing deep"},
      {"h", "/project/none", "404: no such page"},
      {"h", "/%70roject/a", "307 /project/a"},
      {"h", "/project/project/x", "200: twice"},
      {"h", "/a", "404: no such page"},
      {"h", "/deep/", "404: no such page"},
      {"h", "/deep/none", "404: no such page"},
      {"h", "/projecta", "404: no such page"},
      {"h", "/project%2Fa", "404: no such page"},
      {"h", "/project/../a", "404: no such page"},
      {"h", "/old", "404: no such page"},
      {"h", "/project/old", "301 /project/a"},
      {"h", "/project/r", "200: a"},
      {"h", "/project/out", "404: no such page"},
      {"h", "/project/_headers", "404: no such page"},
      {"h", "/.well-known/acme-challenge/token", "200: proof"},
      {"h", "/.well-known/acme-challenge/other", "404: no such page"},
  };
  for (const HostRow& row : rows) {
    EXPECT_EQ(site.outcome(get_of(row.host, row.path)), row.outcome) << row.path;
  }
  EXPECT_NE(site.ask(get_of("h", "/project/a")).find("X-In: 1"), std::string::npos);
  EXPECT_EQ(site.ask(get_of("h", "/a")).find("X-In: 1"), std::string::npos);
  EXPECT_EQ(site.outcome("POST / HTTP/1.1\r\nHost: h\r\n\r\n").substr(0, 3), "405");

  Files app = files;
  app.bytes.erase("404.html");
  app.bytes["_redirects"] = "/project/* /project/index.html 200\n";
  Site<ScriptedStore> single_page(app, app.rules({}, settings));
  EXPECT_EQ(single_page.outcome(get_of("h", "/project/any/where")), "200: main");
  EXPECT_EQ(single_page.outcome(get_of("h", "/elsewhere")).substr(0, 3), "404");
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
