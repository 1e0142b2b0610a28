// SPDX-License-Identifier: ISC
// Names: what is UTF-8, how any name is shown, what a C++ name is.   Method: tables.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "crunch/embed/emit.hpp"
#include "crunch/failure.hpp"

namespace {

using namespace std::string_view_literals;

struct Text {
  std::string_view bytes;
  bool is_utf8;
  std::string_view shown;
};
constexpr Text texts[] = {
    {"", true, "\"\""},
    {"plain name.html", true, "\"plain name.html\""},
    {"\xc3\xa9", true, "\"\xc3\xa9\""},
    {"\xf4\x8f\xbf\xbf", true, "\"\xf4\x8f\xbf\xbf\""},    // U+10FFFF
    {"\xf4\x90\x80\x80", false, R"("\xf4\x90\x80\x80")"},  // past it
    {"\xed\x9f\xbf", true, "\"\xed\x9f\xbf\""},            // U+D7FF
    {"\xed\xa0\x80", false, R"("\xed\xa0\x80")"},          // a surrogate
    {"\xc0\xaf", false, R"("\xc0\xaf")"},                  // an overlong '/'
    {"\xe0\x80\xaf", false, R"("\xe0\x80\xaf")"},          // another
    {"\xf0\x80\x80\xaf", false, R"("\xf0\x80\x80\xaf")"},  // another
    {"\xff", false, R"("\xff")"},
    {"a\x80z", false, R"("a\x80z")"},
    {"\xc3", false, R"("\xc3")"},                  // cut off
    {"\xe2\x82", false, R"("\xe2\x82")"},          // cut off
    {"caf\xe9.html", false, R"("caf\xe9.html")"},  // Latin-1
    {"a\nb", true, R"("a\x0ab")"},
    {"\x1b[2J", true, R"("\x1b[2J")"},
    {"a\"b\\c", true, R"("a\x22b\x5cc")"},
};

TEST(Names, Utf8AndShown) {
  for (const Text& text : texts) {
    SCOPED_TRACE(std::string(text.shown));
    EXPECT_EQ(crunch::is_utf8(text.bytes), text.is_utf8);
    EXPECT_EQ(crunch::in_quotes(text.bytes), text.shown);
  }
}

TEST(Names, OfATable) {
  for (std::string_view good : {"site"sv, "_"sv, "a1_B"sv}) {
    EXPECT_TRUE(crunch::embed::is_name(good)) << good;
  }
  std::string long_name(65, 'a');
  for (std::string_view bad : {""sv, "1a"sv, "a-b"sv, "a b"sv, "\xc3\xa9"sv, "a\"b"sv, "a\0"sv,
                               std::string_view(long_name)}) {
    EXPECT_FALSE(crunch::embed::is_name(bad)) << bad;
  }
}

TEST(Names, InJson) {
  std::string out;
  crunch::embed::append_json(out, "a\"b\\c\n\x01\x7f/\xc3\xa9");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\u000a\\u0001\\u007f/\xc3\xa9\"");
}

}  // namespace
