// SPDX-License-Identifier: ISC
// tests/http/crowd_test.cpp: an honest client is served while others have all the places.
//
// Method: the server over the network in memory, in simulated time (http/admission.hpp has the
// rules; tests/http/admission_test.cpp has them without sessions).

#include <gtest/gtest.h>

#include <deque>

#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using namespace std::chrono_literals;
using http_test::get;
using http_test::ScriptedStore;
using http_test::statuses;
using World = http_test::World<ScriptedStore>;
using Wire = std::shared_ptr<net::MemoryWire>;

// What a crowd does that begins requests and stops.
TEST(Crowd, ThoseThatBeganARequestAndStoppedGiveWay) {
  World world({.connections_max = 2, .refusals_max = 1});
  Wire begun = world.dial(), body = world.dial();
  begun->push("GET");
  body->push("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx");
  world.advance(1s);
  Wire honest[2] = {world.dial(), world.dial()};
  world.settle();
  EXPECT_TRUE(begun->is_closed());
  EXPECT_TRUE(body->is_closed());
  for (Wire& wire : honest) {
    wire->push(get("/a.txt"));
    world.settle();
    EXPECT_EQ(statuses(wire->take()), "200 ");
  }
  EXPECT_EQ(world.server.connection_count(), 2U);
}

TEST(Crowd, WhoeverTakesNothingOfItsAnswerGivesWay) {
  World world({.connections_max = 1, .refusals_max = 1});
  Wire slow = world.dial();
  slow->pipes[1].capacity = 1000;
  slow->push(get("/large.bin"));
  world.advance(1s);
  Wire told = world.dial();
  world.settle();
  EXPECT_EQ(statuses(told->take()), "503 ");
  world.advance(5s);
  Wire honest = world.dial();
  honest->push(get("/a.txt"));
  world.settle();
  EXPECT_EQ(statuses(honest->take()), "200 ");
  EXPECT_TRUE(slow->is_closed());
}

TEST(Crowd, ServersWithOneAdmissionHaveOneTotal) {
  base::SimulatedTime time;
  base::Loop loop(time, time);
  http_test::TextConsole console;
  http::AccessLog log(console, loop, http::LogFormat::off);
  http::Clients clients({.connections_max = 2}, 1, 0);
  http::Admission admission(clients, loop);
  ScriptedStore store;
  http_test::put_site(store);
  net::MemoryStack stack(loop);
  http::Server one(store, stack, loop, {}, log, &admission);
  http::Server other(store, stack, loop, {}, log, &admission);
  ASSERT_TRUE(one.listen(80).has_value());
  ASSERT_TRUE(other.listen(443).has_value());
  loop.spawn(one.run());
  loop.spawn(other.run());
  auto settle = [&] {
    for (int i = 0; i < 10; ++i) loop.turn(time.now() + base::Duration(2));
  };
  std::deque<Wire> wires;
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{80, 443, 443}) {
    settle();
    wires.push_back(stack.dial(port));
    settle();
  }
  EXPECT_TRUE(wires[0]->is_closed());
  EXPECT_EQ(one.connection_count(), 0U);
  EXPECT_EQ(other.connection_count(), 2U);
  one.drain();
  settle();
  EXPECT_FALSE(wires[1]->is_closed()) << "one server's drain is not the other's";
  other.drain();
  settle();
  EXPECT_EQ(loop.spawned_count(), 0U);
}

// Buffers for large heads are in the division of memory, so they have a maximum of their own.
TEST(Workspaces, FewAreLargeAtOnce) {
  http::Options options;
  options.requests_max = 16;
  http::WorkspacePool pool(options);
  std::vector<std::unique_ptr<http::Workspace>> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(pool.take());
  EXPECT_TRUE(pool.grow(*taken[0]));
  EXPECT_FALSE(pool.grow(*taken[0])) << "it is large already";
  EXPECT_TRUE(pool.grow(*taken[1]));
  EXPECT_FALSE(pool.grow(*taken[2]));
  pool.give(std::move(taken[0]));
  EXPECT_TRUE(pool.grow(*taken[2]));
}

}  // namespace
