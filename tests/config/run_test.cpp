// SPDX-License-Identifier: ISC
// tests/config/run_test.cpp: how the jobs of an appliance end: by themselves, when asked to,
// by an exception, and when they do not listen.
//
// Method: jobs on simulated time; what a job holds must be gone when run() returns.

#include "config/run.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/base/simulated_time.hpp"

namespace {

using namespace std::chrono_literals;

struct Lines final : base::Console {
  void write(std::string_view text) noexcept override { all += text; }
  std::string all;
};

struct Job {
  std::function<base::Task<void>()> what;
  base::Task<void> run() { return what(); }
  void drain() { ++drains; }
  void announce_drain() { ++announcements; }
  int drains = 0;
  int announcements = 0;
};

struct World {
  base::SimulatedTime time;
  base::Loop loop{time, time};
  Lines lines;
  base::Log log{lines};
  Job one;
  Job other;
  std::shared_ptr<int> held = std::make_shared<int>(0);

  template <class Visit>
  void for_each_job(const Visit& visit) {
    visit(one);
    visit(other);
  }
  base::Task<void> nothing() { co_return; }
  base::Task<void> sleep(base::Duration duration) {
    const auto mine = held;
    co_await loop.sleep_for(duration);
  }
  base::Task<void> sleep_for_ever() {
    const auto mine = held;
    for (;;) co_await loop.sleep_for(1h);
  }
  base::Task<void> fail_after(base::Duration duration) {
    co_await loop.sleep_for(duration);
    throw std::runtime_error("the tape is full");
  }
};

struct RunJobs : ::testing::Test {
  World world;
  config::Running<World> running{world, world.loop, world.log};
  // A signal, after a while.
  base::Task<void> ask_after(base::Duration duration) {
    co_await world.loop.sleep_for(duration);
    running.drain();
    running.drain();
  }
  ~RunJobs() override { EXPECT_EQ(world.held.use_count(), 1); }
};

TEST_F(RunJobs, EndsWhenAllHaveEnded) {
  world.one.what = [&] { return world.sleep(10s); };
  world.other.what = [&] { return world.sleep(30s); };
  running.start();
  EXPECT_EQ(running.run(), 0);
  EXPECT_EQ(world.time.now(), base::Instant{} + 30s);
  EXPECT_EQ(world.one.drains, 0);
}

TEST_F(RunJobs, ADrainWakesAJobThatSleeps) {
  world.one.what = [&] { return world.sleep(1h); };
  world.other.what = [&] { return world.nothing(); };
  running.start();
  world.loop.spawn(ask_after(1s));
  EXPECT_EQ(running.run(), 0);
  EXPECT_EQ(world.time.now(), base::Instant{} + 1s);
  EXPECT_EQ(world.one.drains, 1);
  EXPECT_EQ(world.other.drains, 1);
  EXPECT_EQ(world.lines.all, "");
}

// The delay of a drain: who is asked to end tells it first, and goes on.
struct LeaveJobs : RunJobs {
  config::Running<World> slow{world, world.loop, world.log, 5s};
  base::Task<void> ask_twice() {
    co_await world.loop.sleep_for(1s);
    slow.leave();
    co_await world.loop.sleep_for(1s);
    EXPECT_EQ(world.one.drains, 0);
    slow.leave();
  }
};

TEST_F(LeaveJobs, ADrainBeginsWhenTheDelayIsOver) {
  world.one.what = [&] { return world.sleep(1h); };
  world.other.what = [&] { return world.sleep(1h); };
  slow.start();
  world.loop.spawn(ask_twice());
  EXPECT_EQ(slow.run(), 0);
  EXPECT_EQ(world.time.now(), base::Instant{} + 6s);
  EXPECT_EQ(world.one.announcements, 1);
  EXPECT_EQ(world.one.drains, 1);
  EXPECT_EQ(world.other.drains, 1);
}

TEST_F(LeaveJobs, AJobThatFailsMeanwhileEndsTheDelay) {
  world.one.what = [&] { return world.fail_after(3s); };
  world.other.what = [&] { return world.sleep(1h); };
  slow.start();
  world.loop.spawn(ask_twice());
  EXPECT_EQ(slow.run(), 1);
  EXPECT_EQ(world.time.now(), base::Instant{} + 3s);
  EXPECT_EQ(world.other.drains, 1);
}

TEST_F(LeaveJobs, JobsThatEndByThemselvesAreNotWaitedFor) {
  world.one.what = [&] { return world.sleep(3s); };
  world.other.what = [&] { return world.sleep(2s); };
  slow.start();
  world.loop.spawn(ask_twice());
  EXPECT_EQ(slow.run(), 0);
  EXPECT_EQ(world.time.now(), base::Instant{} + 3s);
  EXPECT_EQ(world.one.drains, 0);
}

TEST_F(RunJobs, WithoutADelayLeavingIsADrain) {
  world.one.what = [&] { return world.sleep(1h); };
  world.other.what = [&] { return world.nothing(); };
  running.start();
  running.leave();
  EXPECT_EQ(running.run(), 0);
  EXPECT_EQ(world.one.announcements, 0);
  EXPECT_EQ(world.one.drains, 1);
}

TEST_F(RunJobs, AJobThatDoesNotListenIsCut) {
  world.one.what = [&] { return world.sleep_for_ever(); };
  world.other.what = [&] { return world.nothing(); };
  running.start();
  world.loop.spawn(ask_after(1s));
  EXPECT_EQ(running.run(), 0);
  EXPECT_EQ(world.time.now(), base::Instant{} + 1s + config::drain_within);
  EXPECT_EQ(world.lines.all,
            "warning: a job has not ended within 15 s of being asked to: it is cut\n");
}

TEST_F(RunJobs, AJobThatFailsEndsTheOthersAndIsSaid) {
  world.one.what = [&] { return world.fail_after(2s); };
  world.other.what = [&] { return world.sleep(1h); };
  running.start();
  EXPECT_EQ(running.run(), 1);
  EXPECT_EQ(world.time.now(), base::Instant{} + 2s);
  EXPECT_EQ(world.lines.all, "error: the tape is full\n");
}

}  // namespace
