// SPDX-License-Identifier: ISC
// Which address a reference means.   Method: a table; right values are those of browsers
// (the URL standard; RFC 3986 section 5.4 has the ordinary ones).
#include "http/url.hpp"

#include <gtest/gtest.h>

namespace {

using http::resolve;
using http::Url;

std::string shown(const Url& url) {
  if (!url.is_http()) return url.scheme + ":";
  return url.scheme + "://" + url.authority + url.path + url.query +
         (url.has_fragment ? "#" + url.fragment : "");
}

TEST(Url, ReferencesMeanWhatBrowsersSay) {
  Url base;
  base.scheme = "https";
  base.authority = "a";
  base.path = "/b/c/d;p";
  base.query = "?q";
  struct Row {
    const char* reference;
    const char* url;
  };
  constexpr Row rows[] = {
      {"g", "https://a/b/c/g"},
      {"./g", "https://a/b/c/g"},
      {"g/", "https://a/b/c/g/"},
      {"/g", "https://a/g"},
      {"//G.example/x", "https://g.example/x"},
      {"?y", "https://a/b/c/d;p?y"},
      {"g?y#s", "https://a/b/c/g?y#s"},
      {"#s", "https://a/b/c/d;p?q#s"},
      {"", "https://a/b/c/d;p?q"},
      {".", "https://a/b/c/"},
      {"..", "https://a/b/"},
      {"../..", "https://a/"},
      {"../../../g", "https://a/g"},
      {"/./g/../h", "https://a/h"},
      {"g;x=1/../y", "https://a/b/c/y"},
      {"%2e%2E/g", "https://a/b/g"},
      {"g?y/../x", "https://a/b/c/g?y/../x"},
      {"http:g", "http://g/"},
      {"https:g", "https://a/b/c/g"},
      {"HTTPS://X:443/y", "https://x/y"},
      {"http://x:80", "http://x/"},
      {"http://u:p@x/", "http://x/"},
      {"mailto:x", "mailto:"},
      {"javascript:void(0)", "javascript:"},
      {"data:text/html,<a>", "data:"},
      {"C:\\x", "c:"},
      {"\\g\\h", "https://a/g/h"},
      {" \n g h\t\n", "https://a/b/c/g%20h"},
      {"g\nh", "https://a/b/c/gh"},
      {"caf\u00e9", "https://a/b/c/caf%C3%A9"},
      {"caf%c3%a9", "https://a/b/c/caf%c3%a9"},
      {"a//b", "https://a/b/c/a//b"},
      {"g#s?t", "https://a/b/c/g#s?t"},
      {"a:b", "a:"},
      {"./a:b", "https://a/b/c/a:b"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(shown(resolve(base, row.reference)), row.url) << row.reference;
}

TEST(Url, KeysAndPathsMeanOneAnother) {
  using http::path_of;
  using http::without_escapes;
  EXPECT_EQ(path_of("a b/\u00e9.html"), "/a%20b/%C3%A9.html");
  EXPECT_EQ(path_of("a?b#c%d"), "/a%3Fb%23c%25d");
  EXPECT_EQ(without_escapes("/a%20b/%C3%a9%zz%4"), "/a b/\u00e9%zz%4");
}

}  // namespace
