// SPDX-License-Identifier: ISC
// Which addresses a style sheet loads.   Method: a table.
#include "crunch/check/css.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string urls_of(std::string_view css) {
  std::string all;
  crunch::check::for_each_css_url(css, 1, [&all](std::string_view url, std::uint32_t line) {
    all += std::string(url) + "@" + std::to_string(line) + " ";
  });
  return all;
}

TEST(Css, AddressesAreFoundWhereASheetLoadsThem) {
  struct Row {
    const char* css;
    const char* urls;
  };
  constexpr Row rows[] = {
      {"a{b:url(x.png)}", "x.png@1 "},
      {"a{b:URL( 'x y.png' )}", "x y.png@1 "},
      {"a{b:url(\"x)y\")\n;c:url( z )}", "x)y@1 z@2 "},
      {"@import 'a.css';@import \"b.css\" screen;@import url(c.css) layer('x');",
       "a.css@1 b.css@1 c.css@1 "},
      {"/* url(x) */a{content:'url(y)';b:myurl(z)}", ""},
      {"@namespace svg url(http://www.w3.org/2000/svg);a{b:url(x)}", "x@1 "},
      {"@charset 'utf-8';a{content:'x'}", ""},
      {"a{b:url(x\\ y\\29 z\\2603)}", "x y)z\u2603@1 "},
      {"a{b:url()}", "@1 "},
      {"a{b:url(x", "x@1 "},
      {"a{b:url('x\ny')}", "x@1 "},
      {"a{b:'x\\'url(y)';c:url(z)}", "z@1 "},
      {"/* no end url(x)", ""},
      {"\n\n@font-face{src:url(a.woff2) format('woff2'),\nurl(a.woff)}", "a.woff2@3 a.woff@4 "},
      {"\\", ""},
      {"'\\", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(urls_of(row.css), row.urls) << row.css;
}

}  // namespace
