// SPDX-License-Identifier: ISC
// tests/base/timer_test.cpp: the laws of Timers.
//
// Laws:   1. An armed Timer expires once, at or after its instant, however often it was moved.
//         2. Arming, disarming and destroying one never allocate and never fail.
//         3. Of several that are due, those with the earlier instant expire first.
// Method: a loop on simulated time; the queue is held against a plain sorted list for a few
//         thousand seeded operations, and against allocations that all fail.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <type_traits>
#include <vector>

#include "base/loop.hpp"
#include "tests/base/allocations.hpp"
#include "tests/base/simulated_time.hpp"

namespace {

using namespace std::chrono_literals;
using base::Instant;
using base::Loop;

static_assert(noexcept(std::declval<base::Timer&>().arm(std::declval<Instant>())));

struct Alarm final : base::Timer {
  explicit Alarm(Loop& loop, base::SimulatedTime& clock) : Timer(loop), time(clock) {}
  void expired() override {
    fired_at = time.now();
    ++fired;
  }
  base::SimulatedTime& time;
  Instant fired_at{};
  int fired = 0;
};

TEST(Timer, AgainstAPlainList) {
  std::mt19937 random(7);
  base::SimulatedTime time;
  Loop loop(time, time);
  std::vector<std::unique_ptr<Alarm>> alarms;
  std::map<Alarm*, Instant> expected;
  for (int i = 0; i < 50; ++i) alarms.push_back(std::make_unique<Alarm>(loop, time));
  for (int step = 0; step < 5000; ++step) {
    std::unique_ptr<Alarm>& alarm = alarms[random() % alarms.size()];
    switch (random() % 8) {
      case 0:
        alarm->disarm();
        expected.erase(alarm.get());
        break;
      case 1:
        expected.erase(alarm.get());
        alarm = std::make_unique<Alarm>(loop, time);
        break;
      case 2: {
        Instant until = time.now() + base::Duration(random() % 300);
        while (loop.now() < until) loop.turn(until);
        loop.turn(until);
        for (auto it = expected.begin(); it != expected.end();) {
          ASSERT_EQ(it->first->fired == 1, it->second <= until) << step;
          if (it->first->fired == 1) {
            ASSERT_EQ(it->first->fired_at, it->second);
            it->first->fired = 0;
            it = expected.erase(it);
          } else {
            ++it;
          }
        }
        break;
      }
      default: {
        Instant at = time.now() + base::Duration(1 + random() % 1000);
        alarm->arm(at);
        expected[alarm.get()] = at;
      }
    }
    for (auto& other : alarms) ASSERT_EQ(other->is_armed(), expected.contains(other.get()));
  }
}

struct Ordered final : base::Timer {
  Ordered(Loop& loop, std::vector<Instant>& its_order) : Timer(loop), order(its_order) {}
  void expired() override { order.push_back(instant); }
  std::vector<Instant>& order;
  Instant instant{};
};

// Armed in an order in which a heap of this kind has its longest chains, moved forward from
// everywhere in it, and all due in one turn.
TEST(Timer, ManyExpireInOrderAndNoneIsLost) {
  constexpr std::size_t count = 20'000;
  base::SimulatedTime time;
  Loop loop(time, time);
  std::vector<Instant> order;
  order.reserve(count);
  std::vector<std::unique_ptr<Ordered>> timers;
  for (std::size_t i = 0; i < count; ++i) {
    timers.push_back(std::make_unique<Ordered>(loop, order));
    timers.back()->arm(Instant{} + 1h - base::Duration(i));
  }
  std::mt19937 random(5);
  for (auto& timer : timers) {
    timer->instant = Instant{} + base::Duration(random() % 1'000'000);
    timer->arm(timer->instant);
  }
  time.advance(1s);
  loop.turn(time.now());
  loop.turn(time.now());
  EXPECT_EQ(order.size(), count);
  EXPECT_TRUE(std::ranges::is_sorted(order));
  for (auto& timer : timers) EXPECT_FALSE(timer->is_armed());
}

TEST(Timer, ArmingNeedsNoMemory) {
  base::SimulatedTime time;
  Loop loop(time, time);
  std::vector<Instant> order;
  order.reserve(100);
  std::vector<std::unique_ptr<Ordered>> timers;
  for (int i = 0; i < 100; ++i) timers.push_back(std::make_unique<Ordered>(loop, order));
  const std::size_t before = allocation_count();
  {
    FailingAllocations failing;
    for (auto& timer : timers) timer->arm(time.now() + 1s);
    for (auto& timer : timers) timer->arm(time.now() + 1ms);
    time.advance(2ms);
    loop.turn(time.now());
    loop.turn(time.now());
  }
  EXPECT_EQ(allocation_count(), before);
  EXPECT_EQ(order.size(), 100U);
}

// That the harness works: the test above could not fail otherwise.
TEST(Allocations, FailAsTheyAreTold) {
  FailingAllocations failing(1, 1);
  auto first = std::make_unique<int>(1);
  EXPECT_THROW(first = std::make_unique<int>(2), std::bad_alloc);
  first = std::make_unique<int>(3);
  EXPECT_EQ(*first, 3);
  EXPECT_EQ(FailingAllocations::failed_count(), 1U);
}

}  // namespace
