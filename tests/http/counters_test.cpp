// SPDX-License-Identifier: ISC
// tests/http/counters_test.cpp: what the counters say after known traffic.
//
// Method: the server over the network in memory, in simulated time: what was asked is known, so is
// every number.

#include "http/counters.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using namespace std::chrono_literals;
using http::Counters;
using http::Protocol;
using http_test::get;
using http_test::ScriptedStore;
using http_test::statuses;
using http_test::WaitingStore;
using Wire = std::shared_ptr<net::MemoryWire>;
using World = http_test::World<ScriptedStore>;

std::uint64_t requests(const Counters& counters, Protocol protocol, std::size_t first_digit) {
  return counters.requests[static_cast<std::size_t>(protocol)][first_digit - 1].value();
}

std::uint64_t refusals(const Counters& counters, http::Refusal why) {
  return counters.refusals[static_cast<std::size_t>(why)].value();
}

std::uint64_t durations(const Counters& counters) {
  return std::accumulate(
      counters.durations.begin(), counters.durations.end(), std::uint64_t{0},
      [](std::uint64_t sum, const base::Counter& each) { return sum + each.value(); });
}

TEST(Counters, RequestsByClassAndProtocol) {
  World world;
  Wire wire = world.dial();
  wire->push(get("/a.txt") + get("/none") + get("/a.txt") + get("/a.txt") +
             "GET /a.txt HTTP/1.0\r\nHost: a\r\n\r\n");
  world.settle();
  Wire broken = world.dial();
  broken->push("nonsense\r\n\r\n");
  world.settle();
  const std::string got = wire->take();
  EXPECT_EQ(statuses(got), "200 404 200 200 200 ");
  const Counters& counters = world.counters;
  EXPECT_EQ(requests(counters, Protocol::http_1_1, 2), 3U);
  EXPECT_EQ(requests(counters, Protocol::http_1_0, 2), 1U);
  EXPECT_EQ(requests(counters, Protocol::http_1_1, 4), 2U);
  EXPECT_EQ(requests(counters, Protocol::http_2, 2), 0U);
  EXPECT_EQ(durations(counters), 6U);
  EXPECT_EQ(counters.connections.value(), 2U);
}

TEST(Counters, BytesOfBodiesAsTheyWentOut) {
  World world;
  Wire wire = world.dial();
  wire->push("GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-999\r\n\r\n");
  world.settle();
  EXPECT_EQ(world.counters.body_bytes.value(), 1000U);
  wire->push("HEAD /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  world.settle();
  EXPECT_EQ(world.counters.body_bytes.value(), 1000U);
}

TEST(Counters, AnAnswerThatBreaksOffIsCountedWithWhatWasTaken) {
  World world;
  Wire stuck = world.dial();
  stuck->pipes[1].capacity = 1000;
  stuck->push(get("/large.bin"));
  world.settle();
  EXPECT_EQ(requests(world.counters, Protocol::http_1_1, 2), 0U);
  world.advance(60s);
  EXPECT_TRUE(stuck->is_closed());
  EXPECT_EQ(requests(world.counters, Protocol::http_1_1, 2), 1U);
  EXPECT_LT(world.counters.body_bytes.value(), 100'000U);
}

TEST(Counters, ConnectionsAndRefusals) {
  World world({.connections_max = 1, .refusals_max = 1});
  Wire slow = world.dial();
  slow->pipes[1].capacity = 1000;
  slow->push(get("/large.bin"));
  world.advance(1s);
  Wire told = world.dial(), dropped = world.dial();
  world.settle();
  EXPECT_EQ(refusals(world.counters, http::Refusal::busy), 1U);
  EXPECT_EQ(refusals(world.counters, http::Refusal::dropped), 1U);
  EXPECT_EQ(world.counters.evictions.value(), 0U);
  told.reset();
  world.advance(8s);
  Wire honest = world.dial();
  world.settle();
  EXPECT_EQ(world.counters.evictions.value(), 1U);
  EXPECT_EQ(world.counters.connections.value(), 2U);
}

TEST(Counters, BuffersThatAreNotThere) {
  World world({.requests_max = 1});
  Wire first = world.dial(), second = world.dial();
  first->push("GET /a.txt HTTP/1.1\r\n");
  world.settle();
  second->push("GET /a.txt HTTP/1.1\r\n");
  world.settle();
  EXPECT_TRUE(second->is_closed());
  EXPECT_EQ(refusals(world.counters, http::Refusal::buffers), 1U);
}

// Laws of a histogram: each bucket has what is above the bound before and at most its own.
TEST(Durations, GoIntoTheBucketWhoseBoundTheyDoNotExceed) {
  Counters counters;
  for (std::size_t i = 0; i < Counters::bounds.size(); ++i) {
    counters.took(Counters::bounds[i]);
    counters.took(Counters::bounds[i] + 1ns);
  }
  counters.took(1h, 3);
  EXPECT_EQ(counters.durations.front().value(), 1U);
  for (std::size_t i = 1; i < Counters::bounds.size(); ++i) {
    EXPECT_EQ(counters.durations[i].value(), 2U) << i;
  }
  EXPECT_EQ(counters.durations.back().value(), 4U);
  EXPECT_GE(counters.duration_ns.value(), 3U * 3'600'000'000'000U);
}

// A request whose answer is there in the same turn took as long as the turn.
TEST(Durations, OfOneTurnAreThatTurns) {
  base::SimulatedTime time;
  base::Loop loop{time, time};
  Counters counters;
  http::DurationTally tally(loop, counters);
  tally.answered(loop.now());
  tally.answered(loop.now());
  time.advance(3ms);
  loop.turn(time.now());
  EXPECT_EQ(counters.durations[3].value(), 2U) << "at most 5 ms";
  EXPECT_EQ(counters.duration_ns.value(), 6'000'000U);
  const base::Instant started = loop.now();
  time.advance(300ms);
  loop.turn(time.now());
  loop.turn(time.now());
  tally.answered(started);
  EXPECT_EQ(counters.durations[9].value(), 1U) << "at most 500 ms";
}

TEST(Durations, OfAStoreThatWaits) {
  http_test::World<WaitingStore> world;
  Wire wire = world.dial();
  wire->push(get("/a.txt"));
  world.advance(10s);
  EXPECT_EQ(statuses(wire->take()), "200 ");
  EXPECT_EQ(durations(world.counters), 1U);
  EXPECT_GT(world.counters.duration_ns.value(), 0U);
}

}  // namespace
