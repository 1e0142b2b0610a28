// SPDX-License-Identifier: ISC
// tests/http/site/auth_test.cpp: addresses that ask for a name and a password.
//
// Method: sites in memory, asked with and without credentials; every field that is no credentials.

#include <gtest/gtest.h>

#include "http/site/auth.hpp"
#include "tests/http/site/site.hpp"

namespace {

using namespace http_test;
using namespace http::site;

User user(const std::string& name, const std::string& password) {
  const PasswordDigest digest = digest_of_password("salt-" + name, password);
  return {name, "salt-" + name, std::string(base::text_of(digest))};
}

const Files staging{{{"index.html", "main"},
                     {"a.html", "a"},
                     {"robots.txt", "robots"},
                     {"internal/index.html", "internal"},
                     {"internal/open/x.txt", "open"},
                     {"404.html", "none"},
                     {".well-known/acme-challenge/token", "proof"},
                     {"_redirects", "/old /a 301\n/in /internal/ 200\n"},
                     {"_headers", "/*\n  X-Site: 1\n"}}};

SiteSettings locked(std::vector<std::string> paths = {"/*"}, std::vector<std::string> except = {}) {
  SiteSettings settings;
  settings.auth.users = {user("crew", "secret"), user("J\xC3\xBCrgen", "p\xC3\xA4ss:word")};
  settings.auth.paths = std::move(paths);
  settings.auth.except = std::move(except);
  return settings;
}

std::string with(const std::string& path, const std::string& authorization) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\nAuthorization: " + authorization + "\r\n\r\n";
}
constexpr const char* crew = "Basic Y3JldzpzZWNyZXQ=";

TEST(SiteAuth, AsksAndLetsIn) {
  Site<ScriptedStore> site(staging, staging.rules({}, locked()));
  const std::string answer = site.ask(get_of("h", "/"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 401 ")) << answer;
  EXPECT_NE(answer.find("\r\nWWW-Authenticate: Basic realm=\"site\", charset=\"UTF-8\"\r\n"),
            std::string::npos);
  EXPECT_NE(answer.find("\r\nCache-Control: no-store\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("X-Site"), std::string::npos);
  EXPECT_EQ(answer.find("main"), std::string::npos);

  const std::string granted = site.ask(with("/", crew));
  EXPECT_TRUE(granted.starts_with("HTTP/1.1 200 ")) << granted;
  EXPECT_NE(granted.find("\r\nCache-Control: private, no-cache\r\n"), std::string::npos);
  EXPECT_EQ(granted.find("public"), std::string::npos);
  EXPECT_NE(granted.find("X-Site: 1"), std::string::npos);

  EXPECT_EQ(site.outcome(with("/", "bAsIc   Y3JldzpzZWNyZXQ")), "200: main");
  EXPECT_EQ(site.outcome(with("/", "Basic SsO8cmdlbjpww6Rzczp3b3Jk")), "200: main");
  EXPECT_EQ(site.outcome(with("/old", crew)), "301 /a");
  EXPECT_EQ(site.outcome(with("/nothing", crew)), "404: none");
  // Rules and what is not there are behind it too; a preflight has no credentials.
  for (const char* path : {"/old", "/nothing", "/a", "/in", "/robots.txt", "/_headers"}) {
    EXPECT_EQ(site.outcome(get_of("h", path)).substr(0, 3), "401") << path;
  }
  EXPECT_EQ(site.outcome("POST / HTTP/1.1\r\nHost: h\r\n\r\n").substr(0, 3), "401");
  EXPECT_EQ(site.outcome("OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n").substr(0, 3), "204");
  EXPECT_EQ(site.outcome(get_of("h", "/.well-known/acme-challenge/token")), "200: proof");
}

TEST(SiteAuth, RefusesWhatIsNoCredentials) {
  Site<ScriptedStore> site(staging, staging.rules({}, locked()));
  for (const char* wrong :
       {"", "Basic", "Basic ", "Y3JldzpzZWNyZXQ=", "Bearer Y3JldzpzZWNyZXQ=",
        "Basic Y3JldzpzZWNyZXQ=x", "Basic Y3Jld zpzZWNyZXQ=", "Basic %%%%", "Basic Y",
        "Basic Y3Jldw==",                 // crew
        "Basic Y3Jldzo=",                 // crew:
        "Basic OnNlY3JldA==",             // :secret
        "Basic Og==",                     // :
        "Basic Y3JldzpzZWNyZQ==",         // crew:secre
        "Basic Y3JldzpzZWNyZXR0",         // crew:secrett
        "Basic Y3JlOnNlY3JldA==",         // cre:secret
        "Basic Q1JFVzpzZWNyZXQ=",         // CREW:secret
        "Basic bm9ib2R5OnNlY3JldA=="}) {  // nobody:secret
    EXPECT_EQ(site.outcome(with("/", wrong)).substr(0, 3), "401") << wrong;
  }
  EXPECT_EQ(site.outcome(with("/", "Basic " + std::string(4000, 'A'))).substr(0, 3), "401");
  // The stored digest is no password.
  EXPECT_EQ(site.outcome(with("/", "Basic Y3JldzpzYWx0LWNyZXdzZWNyZXQ=")).substr(0, 3), "401");
}

TEST(SiteAuth, PathsAndExceptions) {
  Site<ScriptedStore> site(
      staging, staging.rules({}, locked({"/internal/*"}, {"/internal/open/*", "/robots.txt"})));
  for (const char* path : {"/", "/a", "/robots.txt", "/nothing", "/in"}) {
    EXPECT_NE(site.outcome(get_of("h", path)).substr(0, 3), "401") << path;
  }
  for (const char* path : {"/internal/", "/internal", "/internal/index.html", "/INTERNAL/",
                           "/%69nternal/", "//internal/", "/x/../internal/", "/internal/open",
                           "/internal/OPEN/x.txt", "/internal/none"}) {
    const std::string status = site.outcome(get_of("h", path)).substr(0, 3);
    EXPECT_EQ(status, std::string_view(path) == "/internal/open" ? "404" : "401") << path;
  }
  EXPECT_EQ(site.outcome(get_of("h", "/internal/open/x.txt")), "200: open");
  EXPECT_EQ(site.outcome(with("/internal/", crew)), "200: internal");
}

TEST(SiteAuth, FromHeaders) {
  Files files = staging;
  files.bytes["_headers"] =
      "/*\n  X-Site: 1\n/internal/*\n  Basic-Auth: crew:secret second:other\n  X-In: 1\n"
      "/internal/open/*\n  Basic-Auth: third:one\n";
  SiteSettings settings;
  settings.dialect = Dialect::netlify;
  settings.auth.from_headers = true;
  const auto rules = files.rules({}, settings);
  ASSERT_NE(rules, nullptr);
  Site<ScriptedStore> site(files, rules);
  EXPECT_EQ(site.outcome(get_of("h", "/")), "200: main");
  EXPECT_EQ(site.outcome(get_of("h", "/internal/")).substr(0, 3), "401");
  EXPECT_EQ(site.outcome(with("/internal/", crew)), "200: internal");
  EXPECT_EQ(site.outcome(with("/internal/", "Basic c2Vjb25kOm90aGVy")), "200: internal");
  EXPECT_EQ(site.outcome(with("/internal/open/x.txt", crew)).substr(0, 3), "401");
  EXPECT_EQ(site.outcome(with("/internal/open/x.txt", "Basic dGhpcmQ6b25l")), "200: open");
  EXPECT_EQ(site.ask(with("/internal/", crew)).find("Basic-Auth"), std::string::npos);
  // Its text is in no plan.
  const std::vector<std::byte> plan = files.compiled({}, settings).plan;
  const std::string_view text = base::text_of(plan);
  for (const char* password : {"secret", "other", ":one"}) {
    EXPECT_EQ(text.find(password), std::string_view::npos) << password;
  }
  // Without the setting it is an error, in both dialects.
  for (const Dialect dialect : {Dialect::cloudflare, Dialect::netlify}) {
    SiteSettings plain;
    plain.dialect = dialect;
    EXPECT_TRUE(files.compiled({}, plain).has_errors());
  }
}

}  // namespace
