// SPDX-License-Identifier: ISC
// tests/http/client/request_test.cpp: requests as they are sent, and URLs that lead to them.
//
// Method:  tables.

#include <gtest/gtest.h>

#include <string>

#include "http/client/message.hpp"
#include "http/client/redirect.hpp"
#include "http/url.hpp"

namespace {

using namespace std::literals;
using http::client::Error;
using http::client::Journey;
using http::client::Method;
using http::client::Request;
using http::client::Response;

TEST(ClientRequest, IsWrittenWithItsLength) {
  auto get = http::client::encode({Method::get, "a.example", "/x?y", {{"Accept", "text/a"}}});
  ASSERT_TRUE(get);
  EXPECT_EQ(*get,
            "GET /x?y HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nAccept: text/a\r\n\r\n");
  auto post = http::client::encode({Method::post, "[2001:db8::1]:81", "/", {}, "a\0b"s});
  ASSERT_TRUE(post);
  EXPECT_EQ(*post,
            "POST / HTTP/1.1\r\nHost: [2001:db8::1]:81\r\nConnection: close\r\n"
            "Content-Length: 3\r\n\r\na\0b"s);
}

TEST(ClientRequest, NothingInItEndsAFieldOrTheHead) {
  const Request rows[] = {
      {Method::get, "a\r\nX: y"},
      {Method::get, "a b"},
      {Method::get, ""},
      {Method::get, "user@a"},
      {Method::get, "a", "x"},
      {Method::get, "a", ""},
      {Method::get, "a", "/ HTTP/1.1\r\nX: y"},
      {Method::get, "a", "/\0"s},
      {Method::get, "a", "/\x7f"},
      {Method::get, "a", "/\xc3\xa9"},
      {Method::get, "a", "/#b"},
      {Method::get, "a", "/", {{"", "b"}}},
      {Method::get, "a", "/", {{"A b", "c"}}},
      {Method::get, "a", "/", {{"A:", "c"}}},
      {Method::get, "a", "/", {{"A", "b\r\nC: d"}}},
      {Method::get, "a", "/", {{"A", "b\n"}}},
      {Method::get, "a", "/", {{"A", "\0"s}}},
      {Method::get, "a", "/", {{"hOST", "b"}}},
      {Method::get, "a", "/", {{"Content-Length", "3"}}},
      {Method::get, "a", "/", {{"Transfer-Encoding", "chunked"}}},
      {Method::get, "a", "/", {}, "body"},
      {Method::head, "a", "/", {}, "body"},
  };
  for (const Request& row : rows) {
    auto encoded = http::client::encode(row);
    ASSERT_FALSE(encoded) << *encoded;
    EXPECT_EQ(encoded.error(), Error::malformed_request);
  }
}

TEST(ClientUrl, LeadsToAnOrigin) {
  struct Row {
    std::string text;
    std::string host;
    unsigned port;
    bool is_secure;
    std::string target;
  };
  const Row rows[] = {
      {"http://a.example", "a.example", 80, false, "/"},
      {"HTTPS://A.Example/B?c#d", "a.example", 443, true, "/B?c"},
      {"https://a:8443/x/../y", "a", 8443, true, "/y"},
      {"http://a:443", "a", 443, false, "/"},
      {"http://[2001:DB8::1]:81/", "2001:db8::1", 81, false, "/"},
      {"http://192.0.2.1?x", "192.0.2.1", 80, false, "/?x"},
      {"http://a:/", "a", 80, false, "/"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    auto url = http::parse_url(row.text);
    ASSERT_TRUE(url);
    EXPECT_EQ(http::origin_of(*url),
              (http::Origin{row.host, static_cast<std::uint16_t>(row.port), row.is_secure}));
    EXPECT_EQ(url->target(), row.target);
  }
}

TEST(ClientUrl, OthersAreRefused) {
  for (const char* text : {"",
                           "a",
                           "/a",
                           "//a/b",
                           "ftp://a/",
                           "http:",
                           "http:a",
                           "http:/a",
                           "http://",
                           "http:///a",
                           "http://:80/",
                           "http://a:0/",
                           "http://a:65536/",
                           "http://a:99999999999999999999/",
                           "http://a:b/",
                           "http://u@a/",
                           "http://u:p@a/",
                           "http://a b/",
                           " http://a/",
                           "http://a/ ",
                           "http://a/\r\nX: y",
                           "http://a\\b/",
                           "http://[::1/",
                           "http://[x]/",
                           "http://a\x80/"}) {
    EXPECT_FALSE(http::parse_url(text)) << text;
  }
}

Response redirect(unsigned status, std::string location) {
  return {static_cast<std::uint16_t>(status), {{"Location", std::move(location)}}, ""};
}

TEST(ClientRedirect, ChangesTheRequestAsTheRfcSays) {
  const Request post{Method::post, "", "", {{"Content-Type", "a/b"}, {"Cookie", "c"}}, "body"};
  for (const unsigned status : {301U, 302U, 303U, 307U, 308U}) {
    SCOPED_TRACE(status);
    Journey journey("https://a/x/y", post, 2);
    ASSERT_TRUE(journey.is_redirect(redirect(status, "z?q")));
    auto step = journey.next();
    ASSERT_TRUE(step);
    const bool kept = status > 303;
    EXPECT_EQ(step->request.target, "/x/z?q");
    EXPECT_EQ(step->request.method, kept ? Method::post : Method::get);
    EXPECT_EQ(step->request.body, kept ? "body" : "");
    EXPECT_EQ(step->request.fields.size(), kept ? 2U : 1U);
    // Another origin sees no secrets.
    ASSERT_TRUE(journey.is_redirect(redirect(status, "https://b/")));
    step = journey.next();
    ASSERT_TRUE(step);
    EXPECT_EQ(step->origin.host, "b");
    EXPECT_EQ(step->request.fields.size(), kept ? 1U : 0U);
    // And no third time.
    EXPECT_TRUE(journey.is_redirect(redirect(status, "/")));
    EXPECT_FALSE(journey.next());
    EXPECT_EQ(journey.failure().error, Error::too_many_redirects);
  }
}

TEST(ClientRedirect, GoesNowhereElse) {
  for (const char* location : {"http://a/", "HTTP://a/", "ftp://a/", "javascript:x", "//",
                               "https://:1/", "https://a:0/"}) {
    Journey journey("https://a/", {}, 5);
    ASSERT_TRUE(journey.is_redirect(redirect(302, location)));
    EXPECT_FALSE(journey.next()) << location;
    EXPECT_EQ(journey.failure().error, Error::bad_redirect) << location;
  }
  Journey without("https://a/", {}, 0);
  EXPECT_FALSE(without.is_redirect(redirect(302, "/b")));
  Journey journey("http://a/", {}, 5);
  EXPECT_FALSE(journey.is_redirect(redirect(302, "")));
  EXPECT_FALSE(journey.is_redirect(redirect(200, "/b")));
  EXPECT_FALSE(journey.is_redirect(redirect(304, "/b")));
  EXPECT_TRUE(journey.is_redirect(redirect(302, "https://a/")));
  EXPECT_TRUE(journey.next());
}

}  // namespace
