// SPDX-License-Identifier: ISC
// Places of requests: who waits gets one in turn, and coroutines that are destroyed in any state
// leave nothing behind.
//
// Method: the test is the device. A caller runs on a loop of its own, whose end destroys it where
// it stands.

#include "targets/libos/requests.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/base/simulated_time.hpp"

namespace libos {
namespace {

using std::chrono::seconds;

class RequestsTest : public testing::Test {
 protected:
  // Says what it does in `said`: "0:place" with the number that it has, "0:answer", "0:late".
  struct Call {
    char name;
    bool begins = true;
    base::Duration patience = seconds(100);
  };
  base::Task<void> call(Call what) {
    const std::optional<Requests::Held> held = co_await requests.place(loop.now() + what.patience);
    if (!held) {
      said += std::string{what.name} + "? ";
      co_return;
    }
    said += std::string{what.name} + std::to_string(held->number()) + " ";
    if (!what.begins) co_return;
    requests.begin(*held);
    const bool has_come = co_await requests.answer(*held, loop.now() + seconds(1));
    said += std::string{what.name, has_come ? '+' : '-'} + " ";
  }
  // A call that ends when what is returned does.
  std::unique_ptr<base::Loop> start(char name) {
    auto own = std::make_unique<base::Loop>(time, time);
    own->spawn(call({name}));
    own->turn(own->now());
    return own;
  }
  void turn() { loop.turn(loop.now()); }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  Requests requests{loop, 2};
  std::string said;
};

TEST_F(RequestsTest, PlacesAreGivenInTurn) {
  for (const char name : {'a', 'b', 'c', 'd'}) loop.spawn(call({name}));
  turn();
  EXPECT_EQ(said, "a0 b1 ");
  EXPECT_TRUE(requests.complete(1));
  turn();
  turn();
  EXPECT_EQ(said, "a0 b1 b+ c1 ");
  EXPECT_TRUE(requests.complete(0));
  EXPECT_TRUE(requests.complete(1));
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_TRUE(said == "a0 b1 b+ c1 a+ c+ d0 " || said == "a0 b1 b+ c1 a+ d0 c+ ") << said;
  EXPECT_TRUE(requests.complete(0));
  turn();
  EXPECT_EQ(loop.spawned_count(), 0U);
}

TEST_F(RequestsTest, OnlyWhatIsInFlightIsCompleted) {
  EXPECT_FALSE(requests.complete(0)) << "free";
  EXPECT_FALSE(requests.complete(7)) << "no place";
  loop.spawn(call({'a'}));
  turn();
  EXPECT_TRUE(requests.complete(0));
  EXPECT_FALSE(requests.complete(0)) << "twice";
  turn();
  EXPECT_FALSE(requests.complete(0)) << "free again";
}

TEST_F(RequestsTest, WhoIsDestroyedWithARequestInFlightKeepsThePlaceUntilTheAnswer) {
  std::unique_ptr<base::Loop> a = start('a');
  loop.spawn(call({'b'}));
  loop.spawn(call({'c'}));
  turn();
  EXPECT_EQ(said, "a0 b1 ");
  a.reset();
  turn();
  EXPECT_EQ(said, "a0 b1 ") << "the device still has it";
  EXPECT_TRUE(requests.complete(0));
  turn();
  EXPECT_EQ(said, "a0 b1 c0 ");
  EXPECT_TRUE(requests.complete(0));
  EXPECT_TRUE(requests.complete(1));
  turn();
  EXPECT_EQ(loop.spawned_count(), 0U);
}

TEST_F(RequestsTest, WhoIsDestroyedWhileItWaitsForAPlaceLosesItsTurn) {
  std::unique_ptr<base::Loop> a = start('a');
  loop.spawn(call({'b'}));
  turn();
  std::unique_ptr<base::Loop> c = start('c');
  std::unique_ptr<base::Loop> d = start('d');
  std::unique_ptr<base::Loop> e = start('e');
  c.reset();  // the first, the last, and the only one
  e.reset();
  a.reset();
  EXPECT_TRUE(requests.complete(0));  // d has a place now,
  d.reset();                          // and is destroyed before it knows
  loop.spawn(call({'f', false}));
  turn();
  EXPECT_EQ(said, "a0 b1 f0 ");
  EXPECT_TRUE(requests.complete(1));
  turn();
  EXPECT_EQ(loop.spawned_count(), 0U);
}

TEST_F(RequestsTest, AnAnswerThatComesLateFreesThePlace) {
  loop.spawn(call({'a'}));
  turn();
  for (int i = 0; i < 4; ++i) loop.turn(loop.now() + seconds(2));
  EXPECT_EQ(said, "a0 a- ");
  EXPECT_EQ(loop.spawned_count(), 0U);
  EXPECT_TRUE(requests.is_in_flight(0));
  EXPECT_TRUE(requests.complete(0));
  EXPECT_FALSE(requests.is_in_flight(0));
  loop.spawn(call({'b', false}));
  turn();
  EXPECT_EQ(said, "a0 a- b0 ");
}

// A device that is silent has every place: nobody waits for one for ever.
TEST_F(RequestsTest, WhoGetsNoPlaceInTimeIsTold) {
  for (const char name : {'a', 'b'}) loop.spawn(call({name}));
  loop.spawn(call({'c', true, seconds(5)}));
  loop.spawn(call({'d', true, seconds(20)}));
  loop.spawn(call({'e', true, seconds(6)}));
  for (int i = 0; i < 20; ++i) loop.turn(loop.now() + seconds(1));
  EXPECT_EQ(said, "a0 b1 a- b- c? e? ");
  EXPECT_TRUE(requests.is_abandoned(0));
  EXPECT_TRUE(requests.complete(0));
  EXPECT_FALSE(requests.is_abandoned(0));
  for (int i = 0; i < 4; ++i) loop.turn(loop.now() + seconds(2));
  EXPECT_EQ(said, "a0 b1 a- b- c? e? d0 d- ") << "the queue is whole";
  EXPECT_EQ(loop.spawned_count(), 0U);
}

}  // namespace
}  // namespace libos
