// SPDX-License-Identifier: ISC
// tests/http/requests_test.cpp: whose request gives way when all buffers are in use.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "tests/http/standing.hpp"

namespace {

using namespace std::chrono_literals;
using http_test::Standing;
using net::Endpoint;
using World = http_test::AdmissionWorld;

// Answers that nobody reads, more of them than there are buffers.
TEST(Requests, WhenNearlyAllAreTakenOneThatHasNotMovedGivesWay) {
  World world({.connections_max = 100});
  http::Admission admission(world.clients, world.loop, {}, 16);
  std::vector<std::unique_ptr<Standing>> places;
  auto ask = [&] {
    bool made_room = false;
    http::Ticket ticket = admission.admit(net::ipv4(192, 0, 2, 1, 1), made_room);
    auto place = std::make_unique<Standing>(admission, std::move(ticket));
    if (!admission.take_request(*place)) return false;
    places.push_back(std::move(place));
    places.back()->become_busy();
    return true;
  };
  for (int i = 0; i < 15; ++i) EXPECT_TRUE(ask()) << i;
  world.pass(http::Admission::pressed_grace - 1ms);
  places[0]->become_busy();  // this one moves
  EXPECT_TRUE(ask());
  EXPECT_FALSE(ask());
  EXPECT_FALSE(places[1]->gave_way);
  world.pass(1ms);
  EXPECT_FALSE(ask());  // that one's buffers are free in the next turn
  EXPECT_TRUE(places[1]->gave_way && !places[0]->gave_way && !places[2]->gave_way);
  admission.give_request(*places[1]);
  EXPECT_TRUE(ask());
  EXPECT_TRUE(places[2]->gave_way);
}

// However fast one client asks, another one is served.
TEST(Requests, OfTheClientThatHasMostOneGivesWayForOthers) {
  World world({.connections_max = 100, .connections_per_client_max = 90});
  http::Admission admission(world.clients, world.loop, {}, 16);
  std::vector<std::unique_ptr<Standing>> places;
  auto ask = [&](const Endpoint& from, bool is_busy) {
    bool made_room = false;
    auto place = std::make_unique<Standing>(admission, admission.admit(from, made_room));
    const bool has_room = admission.take_request(*place);
    is_busy ? place->become_busy() : place->become_begun();
    if (has_room) places.push_back(std::move(place));
    return has_room;
  };
  const Endpoint greedy = net::ipv4(192, 0, 2, 1, 1), other = net::ipv4(192, 0, 2, 2, 1);
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(ask(greedy, i % 2 == 0)) << i;
  EXPECT_FALSE(ask(greedy, false));
  EXPECT_TRUE(std::ranges::none_of(places, [](const auto& each) { return each->gave_way; }));
  EXPECT_TRUE(ask(other, true));
  EXPECT_TRUE(places[1]->gave_way) << "the oldest that has only begun";
  admission.give_request(*places[1]);
  EXPECT_FALSE(ask(greedy, true));
  for (int i = 0; i < 7; ++i) {
    EXPECT_TRUE(ask(other, true)) << i;
    for (auto& each : places) {
      if (std::exchange(each->gave_way, false)) admission.give_request(*each);
    }
  }
  EXPECT_FALSE(ask(other, true)) << "both have eight";
}

TEST(Requests, OfAProxyEachConnectionIsAnotherClients) {
  http::AdmissionLimits limits{.connections_max = 100};
  limits.proxies = http::TrustedProxies({{net::ipv4(192, 0, 2, 1, 0), 128}});
  World world(limits);
  http::Admission admission(world.clients, world.loop, {}, 8);
  std::vector<std::unique_ptr<Standing>> places;
  bool made_room = false;
  for (int i = 0; i < 8; ++i) {
    places.push_back(std::make_unique<Standing>(
        admission, admission.admit(net::ipv4(192, 0, 2, 1, 1), made_room)));
    EXPECT_TRUE(admission.take_request(*places.back()));
    places.back()->become_busy();
  }
  Standing other(admission, admission.admit(net::ipv4(192, 0, 2, 2, 1), made_room));
  EXPECT_FALSE(admission.take_request(other));
  EXPECT_TRUE(std::ranges::none_of(places, [](const auto& each) { return each->gave_way; }));
}

}  // namespace
