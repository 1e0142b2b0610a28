// SPDX-License-Identifier: ISC
// tests/net/recovery_test.cpp: how soon lost segments are sent again (net/lwip/recovery.hpp).
//
// Method: the stack faces itself in a Mirror behind a wire of 50 ms each way, in simulated time, so
// that time is counted in round trips. Certain segments are lost, the first time that they are
// sent.

#include "tests/net/lwip_world.hpp"

#include <algorithm>
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

Task<void> transfer(LwipWorld& world, const std::string& text, const std::set<std::size_t>& lost,
                    Took& took) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  auto carry = world.device().carry;
  base::Instant last{};  // frames keep their order
  world.device().carry = [&](std::string frame) {
    const bool has_data = frame.size() > 200;
    if (has_data && lost.contains(took.sent++)) return;
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

Took run_with(std::size_t bytes, const std::set<std::size_t>& lost) {
  LwipWorld world;
  const std::string text = pattern(bytes);
  Took took;
  run(world, transfer(world, text, lost, took));
  return took;
}

TEST(Recovery, SeveralLostSegmentsOfAWindowCostARoundTripOrTwo) {
  constexpr std::size_t bytes = 200'000;
  const Took whole = run_with(bytes, {});
  EXPECT_EQ(whole.sent, (bytes + 1459) / 1460);
  const std::vector<std::set<std::size_t>> table = {
      {20}, {20, 21}, {20, 22, 24}, {32, 34, 36, 38, 40}, {32, 33, 34, 35, 36}};
  for (const auto& lost : table) {
    SCOPED_TRACE(::testing::PrintToString(lost));
    const Took took = run_with(bytes, lost);
    EXPECT_EQ(took.sent, whole.sent + lost.size()) << "each once again, and nothing else";
    // The window is half of what it was for a while.
    EXPECT_LE(took.time, whole.time + 5 * round_trip);
  }
}

// Fewer than three later segments can come, and there is nothing more to send (RFC 5827).
TEST(Recovery, NearTheEndFewerDuplicatesAreEnough) {
  constexpr std::size_t bytes = std::size_t{10} * 1460;
  const Took whole = run_with(bytes, {});
  for (std::size_t lost : {7U, 8U}) {
    const Took took = run_with(bytes, {lost});
    EXPECT_EQ(took.sent, 11U);
    EXPECT_LE(took.time, whole.time + round_trip + 1ms) << lost;
  }
}

}  // namespace
