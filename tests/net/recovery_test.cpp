// SPDX-License-Identifier: ISC
// tests/net/recovery_test.cpp: how soon lost segments are sent again (net/lwip/sender.hpp).
//
// Method: the stack faces itself in a Mirror behind a wire of 50 ms each way, in simulated time, so
// that time is counted in round trips. Certain segments are lost, as often as they are named.

#include "tests/net/lwip_world.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "tests/net/worlds.hpp"

namespace {

using net::LwipWorld;

constexpr base::Duration round_trip = 100ms;

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
  std::multiset<std::size_t> segments{};  // by number; twice: sent again, it is lost again
  std::size_t reports_of = 1;             // of so many acknowledgements with options one comes
  base::Duration one_way = 50ms;
  std::set<std::size_t> acknowledgements{};   // by number, which are lost
  std::optional<std::size_t> refused_from{};  // after so many frames, for 30 ms
  std::size_t overtaken_by = 0;               // each tenth segment arrives after so many later ones
};

// Decides about each frame, in both directions.
class Loser {
 public:
  Loser(const Losses& losses, Took& took) : losses_(losses), took_(took) {}
  bool loses(const std::string& frame) {
    if (frame.size() <= 200) {
      if (losses_.acknowledgements.contains(acknowledgements_++)) return true;
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
  std::size_t acknowledgements_ = 0;
  std::map<std::size_t, std::size_t> sent_;  // how often each
};

Task<void> refuse_for_a_while(LwipWorld& world) {
  world.device().refusing = true;
  co_await world.loop().sleep_for(30ms);
  world.device().accept_again();
}

Task<void> transfer(LwipWorld& world, const std::string& text, const Losses& losses, Took& took) {
  auto carry = world.device().carry;
  base::Instant last{};  // frames keep their order
  Ends<net::Lwip> ends;
  Loser loser(losses, took);
  bool is_connected = false;
  std::size_t count = 0;
  std::size_t frames = 0;
  world.device().carry = [&](std::string frame) {
    if (is_connected && losses.refused_from == frames++) {
      world.loop().spawn(refuse_for_a_while(world));
    }
    if (is_connected && loser.loses(frame)) return;
    last = std::max(last + 1us, world.loop().now() + losses.one_way);
    const bool is_overtaken = losses.overtaken_by > 0 && frame.size() > 200 && ++count % 10 == 0;
    base::Duration later{};
    if (is_overtaken) later = std::chrono::microseconds(losses.overtaken_by) + 500ns;
    world.loop().spawn(arrive_later(world, carry, std::move(frame), last + later));
  };
  co_await connect(world, ends);
  is_connected = true;
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
    // A quarter of a round trip is left to what may have been overtaken.
    EXPECT_LE(took.time, whole.time + round_trip + round_trip / 4 + 1ms) << lost;
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

// Whatever was about to be sent when the device had no room: new, again, or a probe.
TEST(Recovery, ADeviceThatRefusesAtAnyStepCostsLittle) {
  constexpr std::size_t bytes = 60'000;
  const Losses losses{.segments = {3, 12, 12, 40}};
  const Took whole = run_with(bytes, losses);
  for (std::size_t at = 0; at < 80; ++at) {
    Losses refused = losses;
    refused.refused_from = at;
    const Took took = run_with(bytes, refused);
    EXPECT_LE(took.time, whole.time + 5 * round_trip) << at;
    EXPECT_LE(took.sent, whole.sent + 15) << at;
  }
}

// After as much idle time as a timeout, the first burst is ten segments again (RFC 6928, 2861).
Task<void> rest(LwipWorld& world, std::size_t& burst) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  const std::string much = pattern(1'000'000);
  world.loop().spawn(write_all(*ends.server, much));
  EXPECT_TRUE((co_await receive(*ends.client, much.size())) == much);
  co_await world.loop().sleep_for(20s);
  auto carry = world.device().carry;
  world.device().carry = [&](const std::string& frame) { burst += frame.size() > 200 ? 1 : 0; };
  const net::Piece piece{bytes_of(much), true};
  auto stalled = co_await ends.server->write({&piece, 1}, 1ms);
  EXPECT_FALSE(stalled.has_value());
  world.device().carry = carry;
}

TEST(Recovery, AfterIdleTimeTheWindowIsTheInitialOne) {
  LwipWorld world;
  std::size_t burst = 0;
  run(world, rest(world, burst));
  EXPECT_EQ(burst, 10U);
}

// ---- Beside Linux

// A fetch over 40 ms, from the request to the last byte, as measured with Linux 6.1 and CUBIC
// as the server; ours may take 1.15 of it.
struct Fetch {
  const char* name;
  std::size_t bytes;
  Losses losses;
  std::int64_t linux_ms;
};

constexpr base::Duration near_one_way = 20ms;

base::Duration fetch(std::size_t bytes, Losses losses, base::Duration one_way = near_one_way) {
  losses.one_way = one_way;
  const Took took = run_with(bytes, losses);
  return one_way + took.time;  // the request is before it
}

TEST(BesideLinux, ACertainLossCostsNoMore) {
  const Fetch table[] = {
      {"the only segment of 1 KB", 1024, {.segments = {0}}, 287},
      {"the last of 15 KB", 15'000, {.segments = {10}}, 329},
      {"the last of 15 KB, twice", 15'000, {.segments = {10, 10}}, 577},
      {"the last of 100 KB", 100'000, {.segments = {68}}, 413},
  };
  for (const Fetch& each : table) {
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(fetch(each.bytes, each.losses));
    std::printf("%s: %ld ms, Linux %ld ms\n", each.name, static_cast<long>(took.count()),
                static_cast<long>(each.linux_ms));
    EXPECT_LE(took.count() * 100, each.linux_ms * 115) << each.name;
  }
}

TEST(BesideLinux, EachLossAndEachPairIsFoundByTheAcknowledgementsOfOthers) {
  constexpr std::size_t count = 11;  // 15 KB
  const base::Duration whole = fetch(15'000, {});
  for (std::size_t one = 0; one < count; ++one) {
    const base::Duration took = fetch(15'000, {.segments = {one}});
    // But for the last, whose loss only a timer can find.
    EXPECT_LE(took, whole + (one + 1 < count ? 2 * 2 * near_one_way : 250ms)) << one;
    for (std::size_t two = one; two < count; ++two) {
      const base::Duration both = fetch(15'000, {.segments = {one, two}});
      EXPECT_LE(both, 577ms + 577ms * 15 / 100) << one << " and " << two;
    }
  }
}

TEST(BesideLinux, TheLastOnesTogetherCostATimeoutAndARoundTripOrTwo) {
  const base::Duration whole = fetch(15'000, {});
  for (std::size_t last = 1; last <= 10; ++last) {
    std::multiset<std::size_t> lost;
    for (std::size_t i = 11 - last; i < 11; ++i) lost.insert(i);
    EXPECT_LE(fetch(15'000, {.segments = lost}), whole + 250ms + 5 * 2 * near_one_way) << last;
  }
}

TEST(BesideLinux, LostAcknowledgementsCostNothing) {
  const Took whole = run_with(100'000, {.one_way = near_one_way});
  for (std::size_t lost = 0; lost < 20; ++lost) {
    const Took took = run_with(100'000, {.one_way = near_one_way, .acknowledgements = {lost}});
    EXPECT_LE(took.time, whole.time + 2 * near_one_way) << lost;
    EXPECT_LE(took.sent, whole.sent + 1) << lost;
  }
}

// What is overtaken by one or two is not taken for lost. By more it is, once: then a quarter
// of a round trip is left to it (RFC 8985 section 6.2).
TEST(BesideLinux, WhatIsOvertakenIsNotSentAgain) {
  const Took whole = run_with(1'000'000, {.one_way = near_one_way});
  for (const std::size_t by : {1U, 2U, 4U, 8U}) {
    const Took took = run_with(1'000'000, {.one_way = near_one_way, .overtaken_by = by});
    EXPECT_LE(took.sent, whole.sent + (by < 3 ? 0 : 10)) << by;
    EXPECT_LE(took.time, by < 3 ? whole.time + 2 * near_one_way : 3 * whole.time) << by;
  }
}

}  // namespace
