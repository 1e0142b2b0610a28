// SPDX-License-Identifier: ISC
// tests/http/h2/conformance_test.cpp: the conformance table of HTTP/1.1, asked over HTTP/2.
//
// Method:  conformance.hpp, in memory: each row alone, its frames cut at every byte; a hundred rows
//          at once on one connection; over a store that never waits and one that always does.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "tests/http/h2/conformance.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using h2_test::Asked;
using h2_test::asked_of;
using http_test::Row;

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
      if (auto asked = asked_of(http_test::with_etags(row.request, etags), "https")) {
        rows.push_back(row);
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
  std::string fault(std::size_t i, const h2_test::Response& response) {
    return h2_test::fault_of(rows[i], response, etags);
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
