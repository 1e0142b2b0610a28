// SPDX-License-Identifier: ISC
// tests/http/h2/conformance_test.cpp: the conformance table of HTTP/1.1, asked over HTTP/2.
//
// Method:  every row whose request HTTP/2 can say is put into frames by nghttp2's client, and what
//          comes back is put into HTTP/1.1's form and judged as ever: each row alone, its frames
//          cut at every byte; a hundred rows at once on one connection; over a store that never
//          waits and one that always does.
// Left out: rows about HTTP/1.1's own syntax (bare controls, versions, codings, Connection).

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <iostream>

#include "http/syntax.hpp"
#include "tests/http/conformance.hpp"
#include "tests/http/h2/client.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using http_test::Row;

struct Asked {
  h2_test::Fields fields;
  std::string body;
  bool open = false;  // a part of the body never comes
};

// Nothing: HTTP/2 has no such request.
std::optional<Asked> asked_of(const std::string& request) {
  const std::size_t end = request.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string head = request.substr(0, end + 2);
  if (std::ranges::any_of(head, [](char c) { return c != '\r' && c != '\n' && (c & 0x7f) < 32; })) {
    return std::nullopt;
  }
  const std::string line = head.substr(0, head.find("\r\n"));
  head.erase(0, line.size() + 2);
  const std::size_t one = line.find(' '), two = line.rfind(' ');
  if (one == 0 || one == std::string::npos || one == two || line.substr(two) != " HTTP/1.1") {
    return std::nullopt;
  }
  const std::string method = line.substr(0, one), target = line.substr(one + 1, two - one - 1);
  const bool is_path = target.starts_with('/') || (target == "*" && method == "OPTIONS");
  if ((!is_path && method != "CONNECT") || target.find(' ') != std::string::npos) {
    return std::nullopt;
  }
  Asked asked{{{":method", method}}, request.substr(end + 4)};
  if (method != "CONNECT") {
    asked.fields.emplace_back(":scheme", "https");
    asked.fields.emplace_back(":path", target);
  }
  std::optional<std::string> host;
  h2_test::Fields others;
  while (!head.empty()) {
    const std::size_t line_end = head.find("\r\n"), colon = head.find(':');
    if (colon == std::string::npos || colon > line_end || colon == 0) return std::nullopt;
    std::string name = head.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::string value(
        http::trimmed(std::string_view(head).substr(colon + 1, line_end - colon - 1)));
    head.erase(0, line_end + 2);
    for (const char* own : {"connection", "transfer-encoding", "keep-alive", "upgrade", "te"}) {
      if (name == own) return std::nullopt;
    }
    if (name.find(' ') != std::string::npos || name.find('\n') != std::string::npos) {
      return std::nullopt;
    }
    if (name == "host" && host) return std::nullopt;
    if (name == "content-length")
      asked.open = std::strtoull(value.c_str(), nullptr, 10) > asked.body.size();
    if (name == "host") {
      host = value;
    } else {
      others.emplace_back(name, value);
    }
  }
  if (!host || host->empty()) return std::nullopt;
  asked.fields.emplace_back(":authority", method == "CONNECT" ? target : *host);
  asked.fields.insert(asked.fields.end(), others.begin(), others.end());
  return asked;
}

http_test::Answer answer_of(const h2_test::Response& response) {
  http_test::Answer answer;
  answer.status = std::atoi(response.status.c_str());
  answer.fields = response.fields;
  answer.body = response.body;
  return answer;
}

// nghttp2 reads no length that has more than 63 bits.
bool has_huge_length(const Row& row) {
  const std::string name = "Content-Length: ";
  const std::size_t at = row.request.find(name);
  return at != std::string::npos &&
         std::strtoull(row.request.c_str() + at + name.size(), nullptr, 10) > (1ULL << 62U);
}

// What the table expects of HTTP/1.1's connection is not asked of HTTP/2's.
Row without_connection(Row row) {
  std::erase_if(row.fields, [](const auto& field) { return field.name == "Connection"; });
  return row;
}

template <class Store>
class Http2Conformance : public ::testing::Test {
 protected:
  Http2Conformance() {
    auto wire = dial();
    h2_test::Client client;
    for (const char* path : {"/a.txt", "/index.html", "/style.css"}) {
      const auto id = client.get(path);
      h2_test::talk(world, *wire, client);
      etags[path] = client.responses[id].field("etag");
    }
    wire->end();
    for (const Row& row : http_test::conformance_table()) {
      if (auto asked = asked_of(http_test::with_etags(row.request, etags))) {
        rows.push_back(without_connection(row));
        requests.push_back(*asked);
      } else {
        ++left_out;
      }
    }
  }
  std::shared_ptr<net::MemoryWire> dial() {
    auto wire = world.stack.dial(80);
    wire->protocol = "h2";
    return wire;
  }
  // What is wrong with the answer, if anything is.
  std::string fault(std::size_t i, const h2_test::Response& response) {
    // A malformed request may be answered by a reset (RFC 9113 section 8.1.1).
    const bool is_malformed = rows[i].status == 400 || has_huge_length(rows[i]);
    if (!response.is_whole && is_malformed && response.reset == NGHTTP2_PROTOCOL_ERROR) return "";
    if (!response.is_whole) {
      return "no whole answer" + std::string(response.reset < 0 ? "" : ", but a reset");
    }
    const std::string length = response.field("content-length");
    if (!rows[i].is_head() && length != "(none)" &&
        std::to_string(response.body.size()) != length) {
      return "content-length " + length + " of " + std::to_string(response.body.size());
    }
    return http_test::fault_of(rows[i], answer_of(response), etags);
  }

  http_test::World<Store> world;
  http_test::Etags etags;
  std::vector<Row> rows;
  std::vector<Asked> requests;
  std::size_t left_out = 0;
};
using Stores = ::testing::Types<http_test::ScriptedStore, http_test::WaitingStore>;
TYPED_TEST_SUITE(Http2Conformance, Stores);

TYPED_TEST(Http2Conformance, EachRowAlone) {
  std::cout << this->rows.size() << " rows, and " << this->left_out << " of HTTP/1.1 only\n";
  ASSERT_GT(this->rows.size(), 150U);
  for (std::size_t i = 0; i < this->rows.size(); ++i) {
    auto wire = this->dial();
    h2_test::Client client;
    const auto id =
        client.ask(this->requests[i].fields, this->requests[i].body, this->requests[i].open);
    h2_test::talk(this->world, *wire, client);
    EXPECT_EQ(this->fault(i, client.responses[id]), "") << this->rows[i].name;
    // It is in step.
    const auto second = client.get("/dir/page.html");
    h2_test::talk(this->world, *wire, client);
    EXPECT_EQ(client.responses[second].body, "<!doctype html>page\n") << this->rows[i].name;
    EXPECT_TRUE(client.goaways.empty()) << this->rows[i].name;
    wire->end();
    this->world.settle();
  }
}

TYPED_TEST(Http2Conformance, CutAtEveryByteTheAnswerIsTheSame) {
  for (std::size_t i = 0; i < this->rows.size(); ++i) {
    h2_test::Client client;
    const auto id =
        client.ask(this->requests[i].fields, this->requests[i].body, this->requests[i].open);
    const std::string bytes = client.give();
    if (bytes.size() > 2000) continue;
    auto wire = this->dial();
    wire->read_bytes_max = 1;
    wire->push(bytes);
    h2_test::talk(this->world, *wire, client);
    EXPECT_EQ(this->fault(i, client.responses[id]), "") << this->rows[i].name;
    wire->end();
    this->world.settle();
  }
}

TYPED_TEST(Http2Conformance, ManyAtOnceOnOneConnection) {
  auto wire = this->dial();
  h2_test::Client client;
  for (std::size_t from = 0; from < this->rows.size(); from += 100) {
    const std::size_t end = std::min(from + 100, this->rows.size());
    std::vector<std::int32_t> ids;
    for (std::size_t i = from; i < end; ++i) {
      ids.push_back(
          client.ask(this->requests[i].fields, this->requests[i].body, this->requests[i].open));
    }
    h2_test::talk(this->world, *wire, client);
    for (std::size_t i = from; i < end; ++i) {
      EXPECT_EQ(this->fault(i, client.responses[ids[i - from]]), "") << this->rows[i].name;
    }
  }
  EXPECT_TRUE(client.goaways.empty());
  wire->end();
}

}  // namespace
