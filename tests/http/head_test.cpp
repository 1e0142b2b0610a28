// SPDX-License-Identifier: ISC
// tests/http/head_test.cpp: representation fields, whole and cut.
//
// Method: texts written out; a server that finds heads in a store answers as one that makes them.

#include "http/head.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/date.hpp"
#include "http/parser.hpp"
#include "http/respond.hpp"
#include "tests/http/text_sink.hpp"

namespace {

void respond_with_page_404(const http::Request& request, kv::Key key, const kv::Stat& stat,
                           const http::Circumstances& now, http::HeadSink& head,
                           http::Answer& answer) {
  http::respond_with_page(http::Status::not_found, request, key, stat, now, head, answer);
}

using http::HeadOf;

constexpr kv::Digest digest{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a',
                            'b', 'c', 'd', 'e', 'f', '0', '1', '2', '3', '4', '5',
                            '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

std::string text_of(const kv::OwnedFields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
  return text;
}

TEST(Head, Parts) {
  kv::HeadFields page =
      http::make_head({"a/index.html", kv::Encoding::br, digest, 1234, 784111777, true});
  EXPECT_EQ(text_of(page.validators),
            "ETag: \"0123456789abcdef0123456789abcdef\"\r\n"
            "Cache-Control: no-cache\r\n"
            "Vary: Accept-Encoding\r\n"
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(text_of(page.type), "Content-Type: text/html; charset=utf-8\r\n");
  EXPECT_EQ(text_of(page.middle),
            "Content-Encoding: br\r\n"
            "Accept-Ranges: bytes\r\n"
            "X-Content-Type-Options: nosniff\r\n");
  EXPECT_EQ(text_of(page.length), "Content-Length: 1234\r\n");
  EXPECT_TRUE(page.fields.empty());

  kv::HeadFields script = http::make_head(
      {"main.3f2a9c1b.js", kv::Encoding::identity, digest, ~std::uint64_t{0}, -1, false});
  EXPECT_EQ(text_of(script.validators),
            "ETag: \"0123456789abcdef0123456789abcdef\"\r\n"
            "Cache-Control: public, max-age=31536000, immutable\r\n");
  EXPECT_EQ(text_of(script.type), "Content-Type: text/javascript; charset=utf-8\r\n");
  EXPECT_EQ(text_of(script.middle),
            "Accept-Ranges: bytes\r\n"
            "X-Content-Type-Options: nosniff\r\n");
  EXPECT_EQ(text_of(script.length), "Content-Length: 18446744073709551615\r\n");
}

TEST(Head, ADateThatCannotBeSaidIsLeftOut) {
  // Nor one that tools set who know no time: 0 and 1, 1980, 1985.
  for (std::int64_t modified_s :
       {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{315'532'801},
        std::int64_t{499'162'500}, http::modified_s_min - 1, std::int64_t{1} << 60}) {
    HeadOf of{"a", kv::Encoding::identity, digest, 1, modified_s, false};
    EXPECT_EQ(text_of(http::make_head(of).validators).find("Last-Modified"), std::string::npos);
  }
}

// What a store has beside its values, sent as it is, is what the server makes where there is none:
// whole, in part, not modified, and as the page of a 404. Dates in the future are left out of both.
TEST(Head, StoredOrMadeTheAnswerIsTheSame) {
  http::Options options;
  for (std::int64_t modified_s : {std::int64_t{784111777}, std::int64_t{1'800'000'000}}) {
    kv::Stat made;
    made.modified_s = modified_s;
    made.set(kv::Encoding::identity, {100, digest, {}});
    kv::Stat stored = made;
    const kv::StoredHead head(
        http::make_head({"a.html", kv::Encoding::identity, digest, 100, modified_s, false}));
    stored.forms[0].head = head.head();
    for (std::string_view fields :
         {"", "Range: bytes=1-2\r\n", "Range: bytes=1-2,5-9\r\n", "If-None-Match: *\r\n"}) {
      http::HeadParser parser(options);
      const std::string text = "GET /a.html HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
      ASSERT_EQ(parser.parse(text), http::Parse::complete);
      for (auto respond : {http::respond_with_value, respond_with_page_404}) {
        auto answer_to = [&](const kv::Stat& stat) {
          http_test::TextSink head_of_answer;
          http::Answer answer;
          respond(parser.request(), "a.html", stat, {.now_s = 1'700'000'000}, head_of_answer,
                  answer);
          return std::to_string(head_of_answer.status) + "\r\n" + head_of_answer.text;
        };
        const std::string answer = answer_to(made);
        EXPECT_EQ(answer, answer_to(stored));
        EXPECT_EQ(answer.find("Last-Modified") != std::string::npos,
                  modified_s == 784111777 && respond == http::respond_with_value);
      }
    }
  }
}

}  // namespace
