// SPDX-License-Identifier: ISC
// tests/http/admission_test.cpp: who is admitted, who gives way, and that every ticket comes back.
//
// Method: places without sessions, by tables; a seeded run against a plain model; threads that
// share one table of clients.

#include "http/admission.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/base/simulated_time.hpp"
#include "tests/http/standing.hpp"

namespace {

using namespace std::chrono_literals;
using http_test::Standing;
using net::Endpoint;
using World = http_test::AdmissionWorld;

Endpoint ipv6(std::initializer_list<std::uint8_t> network, std::uint8_t last) {
  Endpoint endpoint;
  std::copy(network.begin(), network.end(), endpoint.address.begin());
  endpoint.address.back() = last;
  return endpoint;
}

TEST(Client, IsAnIpv4AddressOrAnIpv6Network) {
  const Endpoint four = net::ipv4(192, 0, 2, 1, 1000);
  const Endpoint six = ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1}, 1);
  EXPECT_EQ(net::client_of(four), net::client_of(net::ipv4(192, 0, 2, 1, 2000)));
  EXPECT_NE(net::client_of(four), net::client_of(net::ipv4(192, 0, 2, 2, 1000)));
  EXPECT_EQ(net::client_of(six), net::client_of(ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1}, 9)));
  EXPECT_NE(net::client_of(six), net::client_of(ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 2}, 1)));
}

TEST(Client, Loopback) {
  EXPECT_TRUE(net::is_loopback(net::ipv4(127, 0, 0, 1, 1)));
  EXPECT_TRUE(net::is_loopback(net::ipv4(127, 9, 9, 9, 1)));
  EXPECT_TRUE(net::is_loopback(ipv6({}, 1)));
  EXPECT_FALSE(net::is_loopback(ipv6({}, 2)));
  EXPECT_FALSE(net::is_loopback(Endpoint{}));
  EXPECT_FALSE(net::is_loopback(net::ipv4(128, 0, 0, 1, 1)));
  EXPECT_FALSE(net::is_loopback(ipv6({1}, 1)));
}

TEST(Total, TheLongestIdleGivesWay) {
  World world({.connections_max = 3});
  auto a = world.come(1), b = world.come(2), c = world.come(3);
  a->become_busy();
  a->become_idle();  // now b is the one
  EXPECT_FALSE(world.made_room);
  auto d = world.come(4);
  EXPECT_TRUE(world.made_room);
  EXPECT_TRUE(d != nullptr && b->gave_way && !a->gave_way && !c->gave_way);
  EXPECT_EQ(world.clients.connection_count(), 3U);
  b.reset();  // its ticket has gone already
  EXPECT_EQ(world.clients.connection_count(), 3U);
}

TEST(Total, ARequestThatWasBegunFirstAndStoppedGivesWay) {
  World world({.connections_max = 2});
  auto a = world.come(1), b = world.come(2);
  a->become_begun();
  world.pass(1ms);
  b->become_begun();
  EXPECT_EQ(world.come(3), nullptr);  // both have only just begun
  world.pass(http::Admission::begun_grace);
  a->become_begun();  // more of its head: it began when it began
  auto c = world.come(3);
  EXPECT_TRUE(c != nullptr && a->gave_way && !b->gave_way);
}

TEST(Total, AnAnswerThatDoesNotMoveGivesWay) {
  World world({.connections_max = 2});
  auto a = world.come(1), b = world.come(2);
  a->become_busy();
  b->become_busy();
  world.pass(http::Admission::stalled_grace - 1s);
  EXPECT_EQ(world.come(3), nullptr);
  a->become_busy();  // took some of it
  world.pass(1s);
  auto c = world.come(3);
  EXPECT_TRUE(c != nullptr && b->gave_way && !a->gave_way);
  c->become_busy();
  EXPECT_EQ(world.come(4), nullptr);
}

// Else whoever is admitted while a crowd has all other places would give way to the next one.
TEST(Total, ANewcomerOutlastsThoseThatHaveStopped) {
  World world({.connections_max = 3});
  auto begun = world.come(1), busy = world.come(2);
  begun->become_begun();
  busy->become_busy();
  world.pass(1min);
  auto a = world.come(3), b = world.come(4);
  EXPECT_TRUE(b != nullptr && begun->gave_way && !busy->gave_way && !a->gave_way);
  auto c = world.come(5);
  EXPECT_TRUE(c != nullptr && busy->gave_way && !a->gave_way && !b->gave_way);
  auto d = world.come(6);
  EXPECT_TRUE(d != nullptr && a->gave_way && !b->gave_way && !c->gave_way);
}

TEST(PerClient, ItsOwnLongestWaitingGivesWay) {
  World world({.connections_max = 10, .connections_per_client_max = 2});
  auto other = world.come(9);
  auto a = world.come(1), b = world.come(1);
  auto c = world.come(1);
  EXPECT_TRUE(c != nullptr && a->gave_way && !b->gave_way && !other->gave_way);
  b->become_busy();
  c->become_busy();
  EXPECT_EQ(world.come(1), nullptr);  // none of its own waits
  EXPECT_FALSE(other->gave_way);
  EXPECT_NE(world.come(8), nullptr);
  c->become_begun();
  EXPECT_EQ(world.come(1), nullptr);
  world.pass(http::Admission::begun_grace);
  auto d = world.come(1);
  EXPECT_TRUE(d != nullptr && c->gave_way && !b->gave_way);
}

TEST(PerClient, AnIpv6NetworkIsOneAndLoopbackHasNoLimit) {
  World world({.connections_max = 10, .connections_per_client_max = 1});
  auto a = world.come(ipv6({0x20, 1, 0xd, 0xb8}, 1));
  a->become_busy();
  EXPECT_EQ(world.come(ipv6({0x20, 1, 0xd, 0xb8}, 2)), nullptr);
  auto b = world.come(ipv6({}, 1)), c = world.come(ipv6({}, 1));
  auto d = world.come(net::ipv4(127, 0, 0, 1, 1)), e = world.come(net::ipv4(127, 0, 0, 1, 1));
  EXPECT_TRUE(b != nullptr && c != nullptr && d != nullptr && e != nullptr);
}

TEST(PerClient, ItsOwnStalledAnswerGivesWayWhenNoneWaits) {
  World world({.connections_max = 10, .connections_per_client_max = 2});
  auto other = world.come(9);
  auto a = world.come(1), b = world.come(1);
  other->become_busy();
  a->become_busy();
  b->become_busy();
  world.pass(http::Admission::stalled_grace - 1s);
  b->become_busy();  // took some of it
  EXPECT_EQ(world.come(1), nullptr);
  world.pass(1s);
  auto c = world.come(1);
  EXPECT_TRUE(c != nullptr && a->gave_way && !b->gave_way && !other->gave_way);
  world.pass(http::Admission::stalled_grace);
  auto d = world.come(1);  // c waits for a request, so b's answer may go on
  EXPECT_TRUE(d != nullptr && c->gave_way && !b->gave_way);
}

// Two threads of one appliance. Calls are noted, and answered when the test says so.
struct Pair {
  struct Thread {
    Thread(Pair& pair, unsigned index)
        : loop(pair.time, pair.time),
          admission(pair.clients, loop, {.index = index, .call = [this] { ++call_count; }}) {}
    std::unique_ptr<Standing> come(std::uint8_t last) {
      bool made_room = false;
      http::Ticket ticket = admission.admit(net::ipv4(192, 0, 2, last, 1), made_room);
      if (!ticket) return nullptr;
      auto place = std::make_unique<Standing>(admission, std::move(ticket));
      place->become_idle();
      return place;
    }
    base::Loop loop;
    int call_count = 0;
    http::Admission admission;
  };
  explicit Pair(const http::AdmissionLimits& limits) : clients(limits, 2, 7) {}
  void pass(base::Duration time_passed) {
    time.advance(time_passed);
    for (int i = 0; i < 2; ++i) {  // the second turn knows the time
      one.loop.turn(time.now());
      other.loop.turn(time.now());
    }
  }

  base::SimulatedTime time;
  http::Clients clients;
  Thread one{*this, 0};
  Thread other{*this, 1};
};

TEST(Threads, TheOtherThreadsLongerIdleGivesWay) {
  Pair pair({.connections_max = 3});
  auto a = pair.other.come(1);
  pair.pass(1s);
  auto b = pair.one.come(2), c = pair.one.come(3);
  auto d = pair.one.come(4);  // at once, though a has not gone yet
  ASSERT_TRUE(d != nullptr);
  EXPECT_EQ(pair.other.call_count, 1);
  EXPECT_TRUE(!a->gave_way && !b->gave_way && !c->gave_way);
  pair.pass(1s);
  auto e = pair.one.come(5);  // a is spoken for: the next one is b
  EXPECT_TRUE(e != nullptr && b->gave_way && !c->gave_way);
  EXPECT_EQ(pair.other.call_count, 1);
  pair.other.admission.pay();
  EXPECT_TRUE(a->gave_way);
  EXPECT_EQ(pair.clients.connection_count(), 3U);
  auto f = pair.one.come(6);
  EXPECT_TRUE(f != nullptr && c->gave_way);
  EXPECT_EQ(pair.clients.connection_count(), 3U);
}

TEST(Threads, StalledAnswersOfOthersGiveWay) {
  Pair pair({.connections_max = 1});
  auto a = pair.other.come(1);
  a->become_busy();
  pair.pass(http::Admission::stalled_grace - 1ms);
  EXPECT_EQ(pair.one.come(2), nullptr);
  EXPECT_EQ(pair.other.call_count, 0);
  pair.pass(2ms);
  auto b = pair.one.come(2);
  pair.other.admission.pay();
  EXPECT_TRUE(b != nullptr && a->gave_way);
}

TEST(Threads, OneThatIsAskedAndHasNoneAnyMorePaysLater) {
  Pair pair({.connections_max = 1});
  auto a = pair.other.come(1);
  pair.pass(1s);
  auto b = pair.one.come(2);
  ASSERT_TRUE(b != nullptr);
  a->become_busy();  // before the other thread heard of it
  pair.other.admission.pay();
  EXPECT_FALSE(a->gave_way);
  EXPECT_EQ(pair.clients.connection_count(), 2U);
  b->become_busy();
  EXPECT_EQ(pair.one.come(3), nullptr);
  a->become_idle();
  pair.pass(1s);
  EXPECT_TRUE(a->gave_way);
  EXPECT_EQ(pair.clients.connection_count(), 1U);
}

TEST(Threads, OneThatEndedByItselfIsEnough) {
  Pair pair({.connections_max = 2});
  auto a = pair.other.come(1), b = pair.other.come(2);
  pair.pass(1s);
  auto c = pair.one.come(3);
  ASSERT_TRUE(c != nullptr);
  a.reset();
  pair.other.admission.pay();
  EXPECT_FALSE(b->gave_way);
  EXPECT_EQ(pair.clients.connection_count(), 2U);
}

TEST(Threads, AClientsOwnIsFoundOnTheOtherThread) {
  Pair pair({.connections_max = 10, .connections_per_client_max = 2});
  auto stranger = pair.other.come(9), a = pair.other.come(1), b = pair.one.come(1);
  pair.pass(1s);
  b->become_busy();
  auto c = pair.one.come(1);
  pair.other.admission.pay();
  EXPECT_TRUE(c != nullptr && a->gave_way && !b->gave_way && !stranger->gave_way);
  c->become_busy();
  EXPECT_EQ(pair.one.come(1), nullptr);  // a has gone
}

TEST(Clients, CountAsAPlainModelDoes) {
  constexpr std::size_t total = 60, each = 9;
  World world({.connections_max = total, .connections_per_client_max = each});
  std::mt19937 random(11);
  std::vector<std::pair<std::uint8_t, std::unique_ptr<Standing>>> places;
  std::map<std::uint8_t, std::size_t> count;
  for (int step = 0; step < 50'000; ++step) {
    if (random() % 2 == 0) {
      const auto who = static_cast<std::uint8_t>(random() % 200);
      const bool fits = count[who] < each && places.size() < total;
      auto place = world.come(who);
      ASSERT_EQ(place != nullptr, fits) << step;
      if (!fits) continue;
      place->become_busy();
      places.emplace_back(who, std::move(place));
      ++count[who];
    } else if (!places.empty()) {
      std::swap(places[random() % places.size()], places.back());
      --count[places.back().first];
      places.pop_back();
    }
    ASSERT_EQ(world.clients.connection_count(), places.size());
  }
}

TEST(Clients, ThreadsShareOneTotal) {
  constexpr unsigned thread_count = 4;
  constexpr std::size_t total = 50;
  http::Clients clients({.connections_max = total, .connections_per_client_max = 20}, thread_count,
                        3);
  std::vector<std::thread> threads;
  for (unsigned index = 0; index < thread_count; ++index) {
    threads.emplace_back([&clients, index] {
      base::SimulatedTime time;
      base::Loop loop(time, time);
      std::atomic<bool> called = false;
      http::Admission admission(clients, loop,
                                {.index = index, .call = [&called] { called = true; }});
      std::mt19937 random(index);
      std::vector<std::unique_ptr<Standing>> places;
      for (int step = 0; step < 20'000; ++step) {
        bool made_room = false;
        const auto last = static_cast<std::uint8_t>(random() % 8);
        http::Ticket ticket = admission.admit(net::ipv4(192, 0, 2, last, 1), made_room);
        if (ticket) {
          places.push_back(std::make_unique<Standing>(admission, std::move(ticket)));
          if (random() % 2 == 0) places.back()->become_idle();
        }
        if (called.exchange(false)) admission.pay();
        time.advance(1ms);
        loop.turn(time.now());
        EXPECT_LE(clients.connection_count(), clients.limits().connections_max + thread_count);
        if (places.size() > 30 || (!places.empty() && random() % 3 == 0)) {
          std::swap(places[random() % places.size()], places.back());
          places.pop_back();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clients.connection_count(), 0U);
}

}  // namespace
