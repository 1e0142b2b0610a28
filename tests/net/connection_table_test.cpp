// SPDX-License-Identifier: ISC
// tests/net/connection_table_test.cpp: how a segment finds its connection
// (net/lwip/connection_table.hpp).
//
// Method:  the stack faces itself in a Mirror, in simulated time, so each connection is two of
//          lwIP's. Work is counted in records that were looked at, not in time. Chance is seeded.

#include "net/lwip/connection_table.hpp"

#include <gtest/gtest.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include <memory>
#include <vector>

#include "net/lwip/engine.hpp"
#include "tests/net/lwip_world.hpp"
#include "tests/net/worlds.hpp"

namespace {

using net::Chance;
using net::LwipWorld;

net::lwip::ConnectionTable& table() { return net::lwip::Engine::current().connections; }

using AllEnds = std::vector<std::unique_ptr<Ends<net::Lwip>>>;

Task<void> connect_one(LwipWorld& world, AllEnds& all) {
  all.push_back(std::make_unique<Ends<net::Lwip>>());
  co_await connect(world, *all.back());
}

Task<void> open(LwipWorld& world, AllEnds& all, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) co_await connect_one(world, all);
}

Task<void> ask_all(AllEnds& all, Chance& chance) {
  for (std::size_t i = 0; i < 500; ++i) {
    Ends<net::Lwip>& each = *all[chance.below(all.size())];
    EXPECT_TRUE(co_await send(*each.client, "question"));
    EXPECT_EQ(co_await receive(*each.server, 8), "question");
    EXPECT_TRUE(co_await send(*each.server, "answer"));
    EXPECT_EQ(co_await receive(*each.client, 6), "answer");
  }
}

// Records looked at for each frame of requests in random order, with so many connections.
double steps_per_frame(std::size_t count) {
  std::size_t frames = 0;
  LwipWorld world(1, 1500, net::mirror_options(), {}, [&](const std::string&) { ++frames; });
  AllEnds all;
  Chance chance(count);
  run(world, open(world, all, count));
  const std::uint64_t before = table().steps();
  frames = 0;
  run(world, ask_all(all, chance));
  EXPECT_TRUE(table().has_order_of_lwip());
  return static_cast<double>(table().steps() - before) / static_cast<double>(frames);
}

TEST(ConnectionTable, ASegmentCostsTheSameHoweverManyAreBusy) {
  EXPECT_LE(steps_per_frame(32), 1.5);
  EXPECT_LE(steps_per_frame(4000), 2.5);
}

TEST(ConnectionTable, WhatIsToBeRemovedIsInFront) {
  LwipWorld world;
  AllEnds all;
  run(world, open(world, all, 100));
  Chance chance(7);
  for (int i = 0; i < 100; ++i) {
    tcp_pcb* pcb = tcp_active_pcbs;
    for (std::uint64_t skip = chance.below(150); skip > 0; --skip) pcb = pcb->next;
    net::lwip::ConnectionTable::to_front(*pcb);
    ASSERT_EQ(tcp_active_pcbs, pcb);
    ASSERT_TRUE(table().has_order_of_lwip());
  }
}

// All ways by which connections come and go: opened, closed by either side and by both, reset,
// forgotten in TIME-WAIT.
Task<void> come_and_go(LwipWorld& world, std::uint64_t seed) {
  Chance chance(seed);
  AllEnds all;
  for (int i = 0; i < 400; ++i) {
    if (all.size() < 20 || chance.below(2) == 0) {
      co_await connect_one(world, all);
    } else {
      auto& each = all[chance.below(all.size())];
      auto& flow = chance.below(2) == 0 ? each->client : each->server;
      if (chance.below(3) == 0) static_cast<void>(co_await send(*flow, "unread"));
      if (chance.below(3) == 0) static_cast<void>(flow->shutdown(1s));
      if (chance.below(2) == 0) co_await world.loop().sleep_for(1ms);
      std::swap(each, all.back());
      all.pop_back();
    }
    EXPECT_TRUE(table().has_order_of_lwip());
    co_await world.loop().sleep_for(std::chrono::milliseconds(chance.below(300)));
    EXPECT_TRUE(table().has_order_of_lwip());
  }
  all.clear();
  co_await world.loop().sleep_for(60s);
  EXPECT_TRUE(table().has_order_of_lwip());
}

TEST(ConnectionTable, HasTheOrderOfLwipAndForgetsWhatHasGone) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    LwipWorld world(seed);
    run(world, come_and_go(world, seed));
    EXPECT_EQ(table().count(), 0U);
    EXPECT_EQ(tcp_active_pcbs, nullptr);
  }
}

}  // namespace
