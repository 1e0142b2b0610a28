// SPDX-License-Identifier: ISC
// tests/net/recovery_test.cpp: how soon lost segments are sent again (net/lwip/recovery.hpp).
//
// Method: the stack faces itself in a Mirror behind a wire of 50 ms each way, in simulated time, so
// that time is counted in round trips. Certain segments are lost, as often as they are named.

#include "tests/net/lwip_world.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "tests/net/worlds.hpp"

namespace {

using net::LwipWorld;

constexpr base::Duration one_way = 50ms;
constexpr base::Duration round_trip = 2 * one_way;

Task<void> arrive_later(LwipWorld& world, std::function<void(std::string)> carry, std::string frame,
                        base::Instant at) {
  co_await world.loop().sleep_until(at);
  carry(std::move(frame));
}

Task<void> write_all(net::Lwip::Flow& flow, std::string_view text) {
  const net::Piece piece{bytes_of(text), true};
  auto written = co_await flow.write({&piece, 1}, long_time);
  EXPECT_TRUE(written.has_value());
}

struct Took {
  base::Duration time{};
  std::size_t sent = 0;  // segments with data
};

constexpr std::size_t segment_bytes = 1460;

struct Losses {
  std::multiset<std::size_t> segments;  // by number; twice: sent again, it is lost again
  std::size_t reports_of = 1;           // of so many acknowledgements with options one comes
};

// Decides about each frame, in both directions.
class Loser {
 public:
  Loser(const Losses& losses, Took& took) : losses_(losses), took_(took) {}
  bool loses(const std::string& frame) {
    if (frame.size() <= 200) {
      const bool reports = frame.size() >= 54 + 12;  // has blocks
      return reports && ++reports_ % losses_.reports_of != 0;
    }
    const std::size_t sequence =
        net::offload::get_word(frame, 38) << 16U | net::offload::get_word(frame, 40);
    if (took_.sent++ == 0) first_ = sequence;
    const std::size_t number = ((sequence - first_) & 0xffff'ffffU) / segment_bytes;
    return sent_[number]++ < losses_.segments.count(number);
  }

 private:
  const Losses& losses_;
  Took& took_;
  std::size_t first_ = 0;
  std::size_t reports_ = 0;
  std::map<std::size_t, std::size_t> sent_;  // how often each
};

Task<void> transfer(LwipWorld& world, const std::string& text, const Losses& losses, Took& took) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  auto carry = world.device().carry;
  base::Instant last{};  // frames keep their order
  Loser loser(losses, took);
  world.device().carry = [&](std::string frame) {
    if (loser.loses(frame)) return;
    last = std::max(last + 1us, world.loop().now() + one_way);
    world.loop().spawn(arrive_later(world, carry, std::move(frame), last));
  };
  const base::Instant begin = world.loop().now();
  world.loop().spawn(write_all(*ends.server, text));
  EXPECT_TRUE((co_await receive(*ends.client, text.size())) == text);
  took.time = world.loop().now() - begin;
  // What is under way still has its world.
  co_await world.loop().sleep_for(1s);
  world.device().carry = carry;
}

Took run_with(std::size_t bytes, const Losses& losses) {
  LwipWorld world;
  const std::string text = pattern(bytes);
  Took took;
  run(world, transfer(world, text, losses, took));
  return took;
}

TEST(Recovery, SeveralLostSegmentsOfAWindowCostARoundTripOrTwo) {
  constexpr std::size_t bytes = 200'000;
  const Took whole = run_with(bytes, {});
  EXPECT_EQ(whole.sent, (bytes + segment_bytes - 1) / segment_bytes);
  const std::vector<std::multiset<std::size_t>> table = {
      {20}, {20, 21}, {20, 22, 24}, {32, 34, 36, 38, 40}, {32, 33, 34, 35, 36}};
  for (const auto& lost : table) {
    SCOPED_TRACE(::testing::PrintToString(lost));
    const Took took = run_with(bytes, {lost});
    EXPECT_EQ(took.sent, whole.sent + lost.size()) << "each once again, and nothing else";
    // The window is half of what it was for a while.
    EXPECT_LE(took.time, whole.time + 5 * round_trip);
  }
}

// Fewer than three later segments can come, and there is nothing more to send (RFC 5827).
TEST(Recovery, NearTheEndFewerDuplicatesAreEnough) {
  constexpr std::size_t bytes = 10 * segment_bytes;
  const Took whole = run_with(bytes, {});
  for (std::size_t lost : {7U, 8U}) {
    const Took took = run_with(bytes, {{lost}});
    EXPECT_EQ(took.sent, 11U);
    EXPECT_LE(took.time, whole.time + round_trip + 1ms) << lost;
  }
}

// Of the first three segments the last two come: that is too little to tell loss from overtaking,
// so two new ones are sent (RFC 3042), and what is told of them is enough.
TEST(Recovery, TwoOfAFlightAreEnough) {
  constexpr std::size_t bytes = 40 * segment_bytes;
  const Took whole = run_with(bytes, {});
  const Took took = run_with(bytes, {{0}});
  EXPECT_EQ(took.sent, whole.sent + 1);
  EXPECT_LE(took.time, whole.time + 6 * round_trip);
}

// What is sent again is lost again; and a peer may report many segments in one acknowledgement, as
// Linux does. What it reports lets new ones go, and reports of these tell of the second loss.
TEST(Recovery, ASegmentThatIsLostTwiceIsSentAThirdTime) {
  constexpr std::size_t bytes = 200'000;
  const Took whole = run_with(bytes, {});
  for (const std::size_t reports_of : {1U, 4U}) {
    const Took took = run_with(bytes, {{20, 20}, reports_of});
    EXPECT_EQ(took.sent, whole.sent + 2);
    EXPECT_LE(took.time, whole.time + 6 * round_trip) << reports_of;
  }
}

}  // namespace
