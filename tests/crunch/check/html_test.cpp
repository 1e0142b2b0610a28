// SPDX-License-Identifier: ISC
// What the tokenizer says beside tags: lines, style elements, CDATA; and that hostile pages are
// bounded.   Method: tables; tokenizer_test.py compares the tags themselves with another's.
#include "crunch/check/html.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using crunch::check::Tag;

class Recorder final : public crunch::check::TagSink {
 public:
  std::string tags;  // "name:line attribute=value@line "
  std::string styles;
  std::size_t count = 0;
  std::size_t attributes_max = 0;

  void start_tag(const Tag& tag) override {
    ++count;
    attributes_max = std::max(attributes_max, tag.attributes.size());
    if (count > 100) return;
    tags += std::string(tag.name) + ":" + std::to_string(tag.line);
    for (const auto& attribute : tag.attributes) {
      tags += " " + std::string(attribute.name) + "=" + std::string(attribute.value.substr(0, 40)) +
              "@" + std::to_string(attribute.line);
    }
    tags += ";";
  }
  void style_text(std::string_view text, std::uint32_t line) override {
    styles += std::string(text) + "@" + std::to_string(line);
  }
};

Recorder read(std::string_view page) {
  Recorder recorder;
  crunch::check::tokenize(page, recorder);
  return recorder;
}

TEST(Html, LinesAreThoseOnWhichTagsAndValuesBegin) {
  EXPECT_EQ(read("<a>\n<b\nc\n=\n\n'd'>\r\n<i>").tags, "a:1;b:2 c=d@6;i:7;");
  EXPECT_EQ(read("<script>\n\n<a>\n</script>\n<b>").tags, "script:1;b:5;");
  EXPECT_EQ(read("<!--\n\n-->\n<b>").tags, "b:4;");
}

TEST(Html, StyleElementsAreGivenWithTheirLine) {
  EXPECT_EQ(read("\n<style media=x>\na{}</style><p>").styles, "\na{}@2");
  EXPECT_EQ(read("<style>a{}").styles, "a{}@1");
  EXPECT_EQ(read("<STYLE></STYLE>").styles, "@1");
}

TEST(Html, CdataIsTextInForeignContentOnly) {
  EXPECT_EQ(read("<![CDATA[<a>]]><b>").tags, "b:1;");
  EXPECT_EQ(read("<svg><![CDATA[<a><i>]]><b></svg><![CDATA[<u>]]><s>").tags, "svg:1;b:1;s:1;");
  EXPECT_EQ(read("<svg/><![CDATA[<a><i>]]>").tags, "svg:1;i:1;");
  // In SVG a style element has markup in it.
  EXPECT_EQ(read("<svg><style><a></style></svg><style><b></style>").tags,
            "svg:1;style:1;a:1;style:1;");
}

TEST(Html, ReferencesInValuesAreResolved) {
  std::string out;
  crunch::check::append_resolved(out, "?a=1&copy=2&amp;b&eacute;&#x2F;&notit;&CounterClockwiseC;");
  EXPECT_EQ(out, "?a=1&copy=2&b\u00e9/&notit;&CounterClockwiseC;");
}

TEST(Html, HostilePagesAreBounded) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string one(8'000'000, 'x');
  EXPECT_EQ(read("<a b='" + one).count, 0U);
  EXPECT_EQ(read("<a b='" + one + "'>").count, 1U);
  EXPECT_EQ(read("<" + one + ">").count, 1U);
  std::string many = "<a";
  for (int i = 0; i < 1'000'000; ++i) many += " b=&amp;";
  EXPECT_EQ(read(many + ">").attributes_max, crunch::check::attributes_max);
  std::string deep;
  for (int i = 0; i < 1'000'000; ++i) deep += "<div>";
  EXPECT_EQ(read(deep).count, 1'000'000U);
  for (const char* piece : {"<!--", "--!", "<script><!--<script>", "</", "<![CDATA[", "<svg>", "&",
                            "<a href=\"", "<title></titl", "<\0"}) {
    std::string page;
    while (page.size() < 2'000'000) page += piece;
    read(page);
  }
  read(std::string(4'000'000, '\0'));
  // Generous: what is not linear takes hours.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

}  // namespace
