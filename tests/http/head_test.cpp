// SPDX-License-Identifier: ISC
// tests/http/head_test.cpp: representation fields, whole and cut.
//
// Method: texts written out; every combination of the optional lines cut and put together again.

#include "http/head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using http::HeadOf;

constexpr kv::Digest digest{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a',
                            'b', 'c', 'd', 'e', 'f', '0', '1', '2', '3', '4', '5',
                            '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

TEST(Head, Whole) {
  EXPECT_EQ(http::make_head({"a/index.html", kv::Encoding::br, digest, 1234, 784111777, true}),
            "ETag: \"0123456789abcdef0123456789abcdef\"\r\n"
            "Cache-Control: no-cache\r\n"
            "Vary: Accept-Encoding\r\n"
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/html; charset=utf-8\r\n"
            "Content-Encoding: br\r\n"
            "Accept-Ranges: bytes\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Content-Length: 1234\r\n"
            "\r\n");
  EXPECT_EQ(http::make_head({"main.3f2a9c1b.js", kv::Encoding::identity, digest, 0, -1, false}),
            "ETag: \"0123456789abcdef0123456789abcdef\"\r\n"
            "Cache-Control: public, max-age=31536000, immutable\r\n"
            "Content-Type: text/javascript; charset=utf-8\r\n"
            "Accept-Ranges: bytes\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Content-Length: 0\r\n"
            "\r\n");
}

TEST(Head, PartsPutTogetherAreTheWhole) {
  for (std::string_view key : {"a.html", "main.3f2a9c1b.js", "x", "a.pptx"}) {
    for (auto encoding : {kv::Encoding::identity, kv::Encoding::zstd}) {
      for (std::int64_t modified_s : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1} << 60}) {
        for (bool varies : {false, true}) {
          HeadOf of{key, encoding, digest, ~std::uint64_t{0}, modified_s, varies};
          std::string head = http::make_head(of);
          EXPECT_LE(head.size(), http::head_bytes_max);
          http::HeadParts parts = http::parts_of(head);
          EXPECT_EQ(std::string(parts.validators) + std::string(parts.content_type) +
                        std::string(parts.middle) + std::string(parts.length),
                    head);
          EXPECT_EQ(parts.last_modified.empty(), modified_s != 0);
          EXPECT_TRUE(parts.validators.ends_with(parts.last_modified));
          EXPECT_TRUE(parts.content_type.starts_with("Content-Type: "));
          EXPECT_EQ(parts.length, "Content-Length: 18446744073709551615\r\n\r\n");
          EXPECT_EQ(http::fields_of_304(head), parts.validators);
          EXPECT_EQ(std::string(http::fields_of_206(head)) + std::string(parts.length), head);
          EXPECT_EQ(parts.validators.find("Vary") != std::string::npos, varies);
          EXPECT_EQ(parts.middle.find("Content-Encoding") != std::string::npos,
                    encoding != kv::Encoding::identity);
        }
      }
    }
  }
}

TEST(Head, OtherTextsHaveNoParts) {
  for (std::string_view text : {"", "x", "\r\n", "Content-Type: x\r\n", "Content-Length: 1\r\n"}) {
    EXPECT_EQ(http::parts_of(text).validators, "") << text;
    EXPECT_EQ(http::parts_of(text).length, "") << text;
    EXPECT_EQ(http::fields_of_304(text), "") << text;
  }
}

}  // namespace
