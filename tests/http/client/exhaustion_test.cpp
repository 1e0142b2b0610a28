// SPDX-License-Identifier: ISC
// tests/http/client/exhaustion_test.cpp: a client that finds no memory.
//
// Method:  a whole fetch with a redirect runs again and again; each time the next allocation fails,
//          and all after it or only that one. Whatever fails, there is an answer or an error, and
//          the connection is closed.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client/client.hpp"
#include "tests/base/allocations.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/net/memory_flow.hpp"

namespace {

using http::client::Error;

constexpr std::string_view moved =
    "HTTP/1.1 302 Found\r\nLocation: /a-place-that-is-longer-than-small-strings\r\n"
    "Content-Length: 0\r\n\r\n";
constexpr std::string_view found =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA-Field-That-Is-Long: and its long value\r\n"
    "\r\n14\r\n01234567890123456789\r\n0\r\n\r\n";

// A connection whose answer is there already.
class Connector {
 public:
  using Flow = net::MemoryFlow;
  explicit Connector(base::Loop& loop) : loop_(loop) {}
  base::Ready<net::ConnectResult<Flow>> connect(std::string_view, std::uint16_t, base::Duration) {
    const Spared spared;
    wires.push_back(std::make_shared<net::MemoryWire>(loop_, faults_));
    wires.back()->pipes[1].bytes.reserve(4096);
    wires.back()->push(wires.size() == 1 ? moved : found);
    return {Flow(wires.back(), 0)};
  }
  std::vector<std::shared_ptr<net::MemoryWire>> wires;

 private:
  base::Loop& loop_;
  net::MemoryFaults faults_;
};

// The error; nothing: there was an answer.
std::optional<Error> fetch_with(std::size_t skipped, std::size_t count, bool& failed) {
  base::SimulatedTime time;
  base::Loop loop(time, time);
  Connector connector(loop);
  http::client::Client<Connector, Connector> client(loop, connector, connector);
  const http::client::Request request{http::client::Method::get,
                                      "",
                                      "",
                                      {{"A-Field-That-Is-Long", "and its value, which is long"}}};
  http::client::Limits limits;
  limits.redirects_max = 1;
  std::optional<std::optional<Error>> outcome;
  auto run = [](auto& its_client, auto& its_request, auto& its_limits,
                auto& its_outcome) -> base::Task<void> {
    auto answer = co_await its_client.fetch("http://a.example/", its_request, its_limits);
    its_outcome.emplace(answer ? std::optional<Error>() : answer.error().error);
    if (answer) {
      EXPECT_EQ(answer->body.size(), 20U);
    }
  };
  loop.spawn(run(client, request, limits, outcome));
  {
    const FailingAllocations failing(skipped, count);
    for (int i = 0; i < 50; ++i) loop.turn(loop.now());
    failed = FailingAllocations::failed_count() > 0;
  }
  EXPECT_TRUE(outcome) << skipped;
  for (const auto& wire : connector.wires) EXPECT_TRUE(wire->is_closed());
  return outcome.value_or(std::nullopt);
}

TEST(ClientExhaustion, EachFailedAllocationIsAnError) {
  for (const std::size_t count : {std::size_t{1}, FailingAllocations::all}) {
    std::size_t errors = 0;
    for (std::size_t skipped = 0;; ++skipped) {
      ASSERT_LT(skipped, 1000U);
      bool failed = false;
      const std::optional<Error> error = fetch_with(skipped, count, failed);
      if (!failed) {
        EXPECT_FALSE(error);
        break;
      }
      if (error) {
        EXPECT_EQ(*error, Error::no_memory) << skipped;
        ++errors;
      }
    }
    EXPECT_GT(errors, 10U);
  }
}

}  // namespace
