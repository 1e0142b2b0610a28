// SPDX-License-Identifier: ISC
// tests/base/loop_test.cpp: order, sleep, and what happens to tasks that do not finish.
//
// Method: a loop on simulated time.

#include "base/loop.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/base/simulated_time.hpp"

namespace {

using namespace std::chrono_literals;
using base::Instant;
using base::Loop;
using base::Task;

struct Note final : base::Work {
  explicit Note(std::string& out, char c) : log(out), letter(c) {}
  void run() override { log += letter; }
  std::string& log;
  char letter;
};

TEST(Loop, RunsWorkInOrderAndOnce) {
  base::SimulatedTime time;
  Loop loop(time, time);
  std::string log;
  Note a(log, 'a'), b(log, 'b');
  loop.schedule(a);
  loop.schedule(b);
  loop.schedule(a);
  {
    Note gone(log, 'x');
    loop.schedule(gone);
  }
  loop.turn(time.now());
  EXPECT_EQ(log, "ab");
  loop.turn(time.now());
  EXPECT_EQ(log, "ab");
}

Task<> sleeper(Loop& loop, base::Duration duration, std::string& log, char c) {
  co_await loop.sleep_for(duration);
  log += c;
}

TEST(Loop, SleepersWakeInOrderAndTheLoopEndsWhenAllHaveFinished) {
  base::SimulatedTime time;
  Loop loop(time, time);
  std::string log;
  loop.spawn(sleeper(loop, 30ms, log, 'c'));
  loop.spawn(sleeper(loop, 10ms, log, 'a'));
  loop.spawn(sleeper(loop, 20ms, log, 'b'));
  EXPECT_EQ(loop.spawned_count(), 3u);
  loop.run();
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(time.now(), Instant{} + 30ms);
  EXPECT_EQ(loop.spawned_count(), 0u);
}

Task<> hold(Loop& loop, std::shared_ptr<int> held) {
  co_await loop.sleep_for(1h);
  *held = 1;
}

TEST(Loop, DestroysTasksThatDidNotFinish) {
  base::SimulatedTime time;
  auto held = std::make_shared<int>(0);
  {
    Loop loop(time, time);
    loop.spawn(hold(loop, held));
    loop.spawn(hold(loop, held));  // never started
    loop.turn(time.now());
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Loop, DestroysTasksWhenAsked) {
  base::SimulatedTime time;
  Loop loop(time, time);
  auto held = std::make_shared<int>(0);
  loop.spawn(hold(loop, held));
  loop.turn(time.now());
  loop.destroy_tasks();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(loop.spawned_count(), 0u);
}

Task<> told(Loop& loop, base::Duration duration, std::string& log) {
  log += co_await loop.sleep_for(duration) ? 's' : 'w';
}

TEST(Loop, WakesWhoeverSleepsAndNobodyElse) {
  base::SimulatedTime time;
  Loop loop(time, time);
  std::string log;
  for (base::Duration duration : {1ms, 3'600'000ms, 2ms, 7'200'000ms}) {
    loop.spawn(told(loop, duration, log));
  }
  loop.turn(time.now());
  for (int i = 0; i < 3; ++i) loop.turn(time.now() + 1ms);
  EXPECT_EQ(log, "ss");
  loop.wake_sleepers();
  loop.spawn(told(loop, 5ms, log));
  loop.run();
  EXPECT_EQ(log, "sswws");
  loop.wake_sleepers();  // nobody
}

std::string reported;
Task<> fails() {
  throw std::runtime_error("out of luck");
  co_return;
}

TEST(Loop, AnExceptionEndsOneTaskOnly) {
  base::SimulatedTime time;
  Loop loop(time, time);
  loop.on_exception = [](std::string_view what) noexcept { reported = what; };
  std::string log;
  loop.spawn(fails());
  loop.spawn(sleeper(loop, 1ms, log, 'a'));
  loop.run();
  EXPECT_EQ(reported, "out of luck");
  EXPECT_EQ(log, "a");
}

}  // namespace
