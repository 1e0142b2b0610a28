// SPDX-License-Identifier: ISC
// tests/http/client/parser_test.cpp: responses as they are and as a hostile server sends them.
//
// Method:  one table of whole responses and one of bad ones; each is fed at once, byte by byte, and
//          cut at every byte; what follows from the cuts is the same for all.

#include "http/client/parser.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace {

using namespace std::literals;
using http::client::Error;
using http::client::Limits;
using http::client::Method;
using http::client::Response;
using http::client::ResponseParser;
using std::string_view;

Limits small_limits() {
  Limits limits;
  limits.head_bytes_max = 512;
  limits.fields_max = 8;
  limits.body_bytes_max = 64;
  limits.interim_max = 3;
  return limits;
}

struct Outcome {
  std::optional<Response> response;
  std::optional<Error> error;
  bool needed_end = false;
};

// `step` bytes at a time.
Outcome parse(string_view bytes, Method method, std::size_t step = std::string::npos) {
  ResponseParser parser(method, small_limits());
  for (string_view rest = bytes; !rest.empty();) {
    const string_view some = rest.substr(0, step);
    rest.remove_prefix(some.size());
    const auto is_whole = parser.feed(some);
    if (!is_whole) return {{}, is_whole.error()};
    if (*is_whole) return {parser.take(), {}};
  }
  const auto is_whole = parser.finish();
  if (!is_whole) return {{}, is_whole.error()};
  return {parser.take(), {}, true};
}

struct Good {
  string_view bytes;
  unsigned status;
  string_view body;
  Method method = Method::get;
  bool needs_end = false;
};
const Good good[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"sv, 200, "abc"},
    {"HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\nabc"sv, 200, "abc"},
    {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"sv, 200, ""},
    {"HTTP/1.0 404 Not Found\r\n\r\nno"sv, 404, "no", Method::get, true},
    {"HTTP/1.1 200 OK\r\n\r\n"sv, 200, "", Method::get, true},
    {"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"sv, 204, ""},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9999\r\n\r\n"sv, 304, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"sv, 200, "", Method::head},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"sv, 200, "", Method::head},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"sv, 200,
     "abcde"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n0\r\nA: b\r\n\r\n"sv,
     200, "abc"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, 200, ""},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"sv,
     200, "x"},
};

TEST(ResponseParser, ReadsWholeResponsesHoweverTheyAreCut) {
  for (const Good& row : good) {
    SCOPED_TRACE(row.bytes);
    for (const std::size_t step :
         {std::string::npos, std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
      const Outcome outcome = parse(row.bytes, row.method, step);
      ASSERT_TRUE(outcome.response) << step;
      EXPECT_EQ(outcome.response->status, row.status);
      EXPECT_EQ(outcome.response->body, row.body);
      EXPECT_EQ(outcome.needed_end, row.needs_end);
    }
  }
}

// An end that comes too early is never taken for the end of the response, unless nothing else says
// where that is.
TEST(ResponseParser, SeesEachEarlyEnd) {
  for (const Good& row : good) {
    SCOPED_TRACE(row.bytes);
    const std::size_t head = row.bytes.rfind("HTTP/1");
    const std::size_t body = row.bytes.find("\r\n\r\n", head) + 4;
    for (std::size_t size = 0; size < row.bytes.size(); ++size) {
      if (row.needs_end && size >= body) break;
      const Outcome outcome = parse(row.bytes.substr(0, size), row.method);
      ASSERT_TRUE(outcome.error) << size;
      EXPECT_EQ(*outcome.error, Error::broken) << size;
    }
  }
}

TEST(ResponseParser, DropsWhatFollowsAResponse) {
  constexpr string_view second = "HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n";
  for (const Good& row : good) {
    if (row.needs_end) continue;
    const std::string bytes = std::string(row.bytes) + std::string(second);
    ResponseParser parser(row.method, small_limits());
    auto is_whole = parser.feed(bytes);
    ASSERT_TRUE(is_whole && *is_whole) << row.bytes;
    is_whole = parser.feed(second);
    ASSERT_TRUE(is_whole && *is_whole);
    const Response response = parser.take();
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(response.body, row.body);
  }
}

std::string many(string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}
std::string chunked(string_view chunks) {
  return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}
std::string with(string_view fields, string_view body = "abc") {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

struct Bad {
  std::string bytes;
  Error error;
};
const Bad bad[] = {
    // No HTTP/1.
    {"SSH-2.0-OpenSSH_9.2\r\n", Error::malformed_response},
    {"\x15\x03\x01\x00\x02\x02\x28", Error::malformed_response},
    {"HTTP/2.0 200 OK\r\n\r\n", Error::malformed_response},
    {"HTTP/1.1 2000 OK\r\n\r\n", Error::malformed_response},
    {"HTTP/1.1 600 Odd\r\n\r\n", Error::malformed_response},
    {"HTTP/1.1 099 Odd\r\n\r\n", Error::malformed_response},
    {"HTTP/1.1 -20 Odd\r\n\r\n", Error::malformed_response},
    {"HTTP/1.1 200OK\r\n\r\n", Error::malformed_response},
    {"HTTP/1.1 200 O\x01K\r\n\r\n", Error::malformed_response},
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", Error::malformed_response},
    // Fields.
    {with("A b: c\r\n"), Error::malformed_response},
    {with("A : c\r\n"), Error::malformed_response},
    {with(": c\r\n"), Error::malformed_response},
    {with("A\r\n"), Error::malformed_response},
    {with("A: b\r\n c\r\n"), Error::malformed_response},
    {with("A: b\x01\r\n"), Error::malformed_response},
    {with("A: b\nB: c\r\n"), Error::malformed_response},
    {with("A: b\rB: c\r\n"), Error::malformed_response},
    {with("A: \0\r\n"s), Error::malformed_response},
    {with(many("A: b\r\n", 9)), Error::too_large},
    {with("A: " + many("x", 600)), Error::too_large},
    {many("HTTP/1.1 200 " + many("x", 600), 1), Error::too_large},
    // Where does it end?
    {with("Content-Length: 3\r\nContent-Length: 3\r\n"), Error::malformed_response},
    {with("Content-Length: 3\r\nContent-Length: 4\r\n"), Error::malformed_response},
    {with("Content-Length: 3, 3\r\n"), Error::malformed_response},
    {with("Content-Length: +3\r\n"), Error::malformed_response},
    {with("Content-Length: -3\r\n"), Error::malformed_response},
    {with("Content-Length: 0x3\r\n"), Error::malformed_response},
    {with("Content-Length: \r\n"), Error::malformed_response},
    {with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), Error::malformed_response},
    {with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), Error::malformed_response},
    {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     Error::malformed_response},
    {with("Transfer-Encoding: gzip, chunked\r\n"), Error::malformed_response},
    {with("Transfer-Encoding: chunked, gzip\r\n"), Error::malformed_response},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Error::malformed_response},
    {with("Transfer-Encoding: identity\r\n"), Error::malformed_response},
    // Lengths that lie, or that no memory holds.
    {with("Content-Length: 65\r\n"), Error::too_large},
    {with("Content-Length: 18446744073709551615\r\n"), Error::too_large},
    {with("Content-Length: 99999999999999999999999\r\n"), Error::malformed_response},
    {with("", many("x", 65)), Error::too_large},
    {with("Content-Length: 9\r\n"), Error::broken},
    {chunked("41\r\n"), Error::too_large},
    {chunked("ffffffffffffffff\r\n"), Error::too_large},
    {chunked("fffffffffffffffff\r\n"), Error::malformed_response},
    {chunked("x\r\n"), Error::malformed_response},
    {chunked("-1\r\nx"), Error::malformed_response},
    {chunked("3\r\nabcd\r\n0\r\n\r\n"), Error::malformed_response},
    {chunked("3;a=\x01\r\nabc\r\n0\r\n\r\n"), Error::malformed_response},
    {chunked("3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n"), Error::malformed_response},
    {chunked("3\r\nabc\r\n"), Error::broken},
    // Without an end.
    {chunked(many("1\r\nx\r\n", 65)), Error::too_large},
    {chunked("1;" + many("x", 600)), Error::too_large},
    {chunked(many("1;" + many("x", 100) + "\r\nx\r\n", 60)), Error::too_large},
    {chunked("0\r\n" + many("A: b\r\n", 200)), Error::too_large},
    {many("HTTP/1.1 100 Continue\r\n\r\n", 1000), Error::too_large},
};

TEST(ResponseParser, RefusesWhatCanBeReadInTwoWaysOrHasNoEnd) {
  for (const Bad& row : bad) {
    SCOPED_TRACE(row.bytes.substr(0, 200));
    for (const std::size_t step : {std::string::npos, std::size_t{1}, std::size_t{3}}) {
      const Outcome outcome = parse(row.bytes, Method::get, step);
      ASSERT_TRUE(outcome.error) << step;
      EXPECT_EQ(*outcome.error, row.error) << step;
    }
  }
}

TEST(ResponseParser, FieldsAreFoundByNameWhateverTheirCase) {
  const Outcome outcome = parse(with("LINK: <a>\r\nLink: <b>\r\nContent-Length: 0\r\n", ""), {});
  ASSERT_TRUE(outcome.response);
  EXPECT_EQ(outcome.response->field("link"), "<a>");
  EXPECT_EQ(outcome.response->field("lin"), "");
  EXPECT_EQ(outcome.response->fields.size(), 3U);
}

TEST(ResponseParser, AfterAnErrorNothingIsTaken) {
  ResponseParser parser(Method::get, small_limits());
  EXPECT_FALSE(parser.feed("junk"));
  const auto again = parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), Error::malformed_response);
  EXPECT_FALSE(parser.finish());
}

}  // namespace
