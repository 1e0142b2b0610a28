// SPDX-License-Identifier: ISC
// base/turns: one at a time, in the order of asking, whoever goes away meanwhile.

#include "base/turns.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/base/simulated_time.hpp"

namespace {

class TurnsTest : public ::testing::Test {
 protected:
  // Takes a turn, and has it for a moment.
  base::Task<void> visit(std::string name) {
    const base::Turns::Turn turn = co_await turns_.take();
    seen_ += name + "(";
    co_await loop_.sleep_for(std::chrono::microseconds(1));
    seen_ += ")";
  }
  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  base::Turns turns_{loop_};
  std::string seen_;
};

TEST_F(TurnsTest, AreOneAfterAnother) {
  for (const char* name : {"a", "b", "c"}) loop_.spawn(visit(name));
  loop_.run();
  EXPECT_EQ(seen_, "a()b()c()");
  loop_.spawn(visit("d"));
  loop_.run();
  EXPECT_EQ(seen_, "a()b()c()d()");
}

TEST_F(TurnsTest, EndWithWhoeverHasOne) {
  base::Loop other(time_, time_);
  other.spawn(visit("a"));
  other.turn(time_.now());
  loop_.spawn(visit("b"));
  loop_.turn(time_.now());
  EXPECT_EQ(seen_, "a(");
  other.destroy_tasks();
  loop_.run();
  EXPECT_EQ(seen_, "a(b()");
}

TEST_F(TurnsTest, AreGivenUpByWhoeverWaits) {
  base::Loop other(time_, time_);
  loop_.spawn(visit("a"));
  loop_.turn(time_.now());
  other.spawn(visit("b"));
  other.turn(time_.now());
  loop_.spawn(visit("c"));
  loop_.turn(time_.now());
  other.destroy_tasks();  // in the middle of the queue
  loop_.run();
  EXPECT_EQ(seen_, "a()c()");
}

TEST_F(TurnsTest, AreHandedOnByWhoeverGoesBeforeTheTurnBegan) {
  base::Loop other(time_, time_);
  std::optional<base::Turns::Turn> turn;
  turn.emplace(base::run_now([](base::Turns& turns) -> base::Task<base::Turns::Turn> {
    co_return co_await turns.take();
  }(turns_)));
  other.spawn(visit("b"));
  other.turn(time_.now());
  loop_.spawn(visit("c"));
  loop_.turn(time_.now());
  turn.reset();           // b's turn now: it is scheduled
  other.destroy_tasks();  // and goes before it runs
  loop_.run();
  EXPECT_EQ(seen_, "c()");
}

}  // namespace
