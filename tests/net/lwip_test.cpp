// SPDX-License-Identifier: ISC
// tests/net/lwip_test.cpp: what is our own stack's alone: when it sleeps, what it copies, what a
// client can make it hold, and what it says about its addresses.
//
// Method: the stack faces itself in a Mirror, in simulated time; or a test speaks to it frame by
// frame. Frames are looked at as bytes.

#include "tests/net/lwip_world.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstring>

#include "tests/net/frames.hpp"
#include "tests/net/worlds.hpp"

namespace {

using net::LwipWorld;

unsigned word_at(const std::string& frame, std::size_t at) {
  return unsigned{static_cast<unsigned char>(frame[at])} << 8U |
         static_cast<unsigned char>(frame[at + 1]);
}

bool is_tcp(const std::string& frame) { return word_at(frame, 12) == 0x0800 && frame[23] == 6; }

// How often the loop wakes up in `time`.
int wakes_in(LwipWorld& world, base::Duration time) {
  const base::Instant end = world.loop().now() + time;
  const int before = world.time().sleeps;
  while (world.loop().now() < end) world.loop().turn(end);
  return world.time().sleeps - before;
}

// ---- Sleep

TEST(LwipSleep, AStackWithSettledAddressesDoesNotWakeUp) {
  LwipWorld world;
  wakes_in(world, 1h);  // checks its addresses
  EXPECT_EQ(wakes_in(world, 24h), 1) << "the end of the wait";
}

Task<void> hold(LwipWorld& world, Ends<net::Lwip>& ends) { co_await connect(world, ends); }

TEST(LwipSleep, AnIdleConnectionWakesForKeepAliveOnly) {
  LwipWorld world;
  Ends<net::Lwip> ends;
  run(world, hold(world, ends));
  wakes_in(world, 60s);
  // Two ends, each of which asks every two minutes whether the other is there. An exchange: the
  // probe's timer, the answer's delay; the second's ticks for 6 s after it.
  const int wakes = wakes_in(world, 1h);
  EXPECT_GT(wakes, 20);
  EXPECT_LT(wakes, 30 * 2 * 25);
  EXPECT_EQ(world.stack().flow_count(), 2U);
  ends.client.reset();
  ends.server.reset();
  wakes_in(world, 1h);
  EXPECT_EQ(wakes_in(world, 24h), 1) << "nothing is open";
}

// A peer that has vanished: asked after two minutes, and six times every 15 s.
Task<void> read_from_nobody(LwipWorld& world, Ends<net::Lwip>& ends, base::Duration& took) {
  const base::Instant begin = world.loop().now();
  auto bytes = co_await ends.server->read(1, long_time * 100);
  EXPECT_FALSE(bytes.has_value());
  took = world.loop().now() - begin;
}
TEST(LwipSleep, AConnectionToNobodyEnds) {
  LwipWorld world;
  Ends<net::Lwip> ends;
  run(world, hold(world, ends));
  world.device().carry = [](const std::string&) {};
  base::Duration took{};
  world.loop().spawn(read_from_nobody(world, ends, took));
  wakes_in(world, 1h);
  EXPECT_GT(took, 120s);
  EXPECT_LT(took, 240s);
}

// ---- Copies

Task<void> send_lasting(LwipWorld& world, std::string_view text, bool lasting, bool& is_same) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  const net::Piece piece{bytes_of(text), lasting};
  auto answer = co_await ends.client->write({&piece, 1}, long_time);
  EXPECT_TRUE(answer.has_value());
  is_same = (co_await receive(*ends.server, text.size())) == text;
}

// Looks at the pieces of sent frames: do any of them lie in the text itself?
TEST(LwipCopies, LastingPiecesGoOutFromWhereTheyLie) {
  for (bool lasting : {true, false}) {
    LwipWorld world;
    const std::string text = pattern(80'000);
    std::size_t in_place = 0;
    world.device().on_pieces = [&](std::span<const base::Bytes> pieces) {
      for (base::Bytes piece : pieces) {
        const auto* at = reinterpret_cast<const char*>(piece.data());
        if (at >= text.data() && at < text.data() + text.size()) in_place += piece.size();
      }
    };
    bool is_same = false;
    run(world, send_lasting(world, text, lasting, is_same));
    EXPECT_TRUE(is_same);
    EXPECT_EQ(in_place, lasting ? text.size() : 0U);
  }
}

// ---- The device

TEST(LwipDevice, FramesHeldForLongAreNotLost) {
  LwipWorld world;
  world.device().hold_releases = true;
  const std::string text = pattern(10'000);
  bool is_same = false;
  run(world, send_lasting(world, text, true, is_same));
  EXPECT_TRUE(is_same);
  EXPECT_GT(world.device().held_count(), 10U);
  world.device().release_held();
}

Task<void> send_when_there_is_room(LwipWorld& world, const std::string& text, bool& done) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  world.device().refusing = true;
  auto answer = co_await send(*ends.client, text);
  EXPECT_TRUE(answer);
  const std::size_t before = world.device().sent_count;
  co_await settle(world);
  EXPECT_EQ(world.device().sent_count, before);
  world.device().accept_again();
  const base::Instant at = world.loop().now();
  EXPECT_TRUE((co_await receive(*ends.server, text.size())) == text);
  EXPECT_LT(world.loop().now() - at, 20ms) << "at once, not by a retransmission";
  done = true;
}
TEST(LwipDevice, ADeviceWithoutRoomIsAskedAgain) {
  LwipWorld world;
  bool done = false;
  run(world, send_when_there_is_room(world, pattern(5000), done));
  EXPECT_TRUE(done);
}

// ---- TCP's start

struct Syn {
  unsigned mss = 0;
  bool scales = false;
  bool sacks = false;
};

Syn read_syn(const std::string& frame) {
  Syn syn;
  const std::size_t options = 14 + 20 + 20;
  const std::size_t end = 14 + 20 + (static_cast<unsigned char>(frame[46]) >> 4U) * 4U;
  for (std::size_t i = options; i < end;) {
    const int kind = frame[i];
    if (kind == 0) break;
    if (kind == 2) syn.mss = word_at(frame, i + 2);
    if (kind == 3) syn.scales = true;
    if (kind == 4) syn.sacks = true;
    i += kind == 1 ? 1 : static_cast<unsigned char>(frame[i + 1]);
  }
  return syn;
}

TEST(LwipStart, SegmentsFollowTheMtuAndWindowsScale) {
  const std::string text = pattern(50'000);
  const std::vector<std::pair<std::size_t, unsigned>> table = {
      {576, 536}, {1280, 1240}, {1500, 1460}, {9000, 8960}};
  for (const auto& [mtu, mss] : table) {
    LwipWorld world(1, mtu);
    std::vector<Syn> syns;
    world.on_frame = [&](const std::string& frame) {
      if (is_tcp(frame) && (frame[47] & 2) != 0) syns.push_back(read_syn(frame));
    };
    bool is_same = false;
    run(world, send_lasting(world, text, true, is_same));
    EXPECT_TRUE(is_same);
    ASSERT_EQ(syns.size(), 2U);  // both ends
    for (const Syn& syn : syns) {
      EXPECT_EQ(syn.mss, mss);
      EXPECT_TRUE(syn.scales);
      EXPECT_TRUE(syn.sacks);
    }
  }
}

// RFC 6928: ten segments before the first acknowledgement.
Task<void> first_flight(LwipWorld& world, std::size_t& flight) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  EXPECT_TRUE(co_await send(*ends.client, "a request"));
  EXPECT_EQ(co_await receive(*ends.server, 9), "a request");
  world.on_frame = [&](const std::string& frame) {
    if (is_tcp(frame) && frame.size() > 1000) ++flight;
  };
  world.device().carry = [&](const std::string& frame) { world.on_frame(frame); };  // all is lost
  auto stalled = co_await ends.server->write({}, 1ms);
  EXPECT_TRUE(stalled.has_value());
  const std::string much = pattern(200'000);
  const net::Piece piece{bytes_of(much), true};
  // After two round trips, which take no time here, one more would go as a probe (RFC 8985).
  auto answer = co_await ends.server->write({&piece, 1}, 1ms);
  EXPECT_FALSE(answer.has_value());
  world.on_frame = [](const std::string&) {};  // what is counted with goes before the world
}
TEST(LwipStart, TheFirstFlightIsTenSegments) {
  LwipWorld world;
  std::size_t flight = 0;
  run(world, first_flight(world, flight));
  EXPECT_EQ(flight, 10U);
}

// ---- Bounds

std::size_t in_use() { return mallinfo2().uordblks; }

// A client with the widest window there is, which acknowledges all at once, and at last nothing.
class Greedy {
 public:
  Greedy(LwipWorld& world, unsigned mss) : world_(world) {
    world_.device().vouches = true;  // so its options need no sum
    world_.device().carry = [this, mirror = world_.device().carry](std::string frame) {
      is_tcp(frame) ? take(frame) : mirror(std::move(frame));
    };
    // Its segments, and a window of 65,535 times 128.
    std::string options("\x02\x04\0\0\x03\x03\x07\x01", 8);
    net::frames::put_word(options, 2, mss);
    std::string syn = net::frames::tcp({.sequence = 0}, options);
    syn[46] = 0x70;
    world_.device().arrive(syn);
  }
  std::uint32_t acknowledges_max = 0;
  [[nodiscard]] std::uint32_t unacknowledged() const { return sent_ - acknowledged_; }
  [[nodiscard]] std::uint32_t acknowledged() const { return acknowledged_; }

 private:
  void take(const std::string& frame) {
    const std::uint32_t sequence = word_at(frame, 38) << 16U | word_at(frame, 40);
    const bool is_syn = (frame[47] & 2) != 0;
    if (is_syn) first_ = sequence + 1;
    sent_ = std::max(sent_, sequence - first_ + word_at(frame, 16) - 40);
    if (is_syn) sent_ = 0;
    if (sent_ > acknowledges_max) return;
    acknowledged_ = sent_;
    world_.device().arrive(
        net::frames::tcp({.sequence = 1, .acknowledged = first_ + acknowledged_, .flags = 16}));
  }

  LwipWorld& world_;
  std::uint32_t first_ = 0;
  std::uint32_t sent_ = 0;
  std::uint32_t acknowledged_ = 0;
};

Task<void> write_much(LwipWorld& world, const std::string& text, bool lasting, bool& is_over) {
  auto listener = world.stack().listen(80);
  REQUIRE(listener.has_value());
  auto flow = co_await listener->accept();
  REQUIRE(flow.has_value());
  const net::Piece piece{bytes_of(text), lasting};
  auto answer = co_await flow->write({&piece, 1}, 30s);
  EXPECT_FALSE(answer.has_value());
  is_over = true;
}

TEST(LwipBounds, WhatIsSentAndNotAcknowledgedHasAMaximum) {
  const std::string text(16'000'000, 'x');
  struct Row {
    bool lasting;
    unsigned mss;
    std::uint32_t bytes_min;  // the bound is reached
    std::uint32_t bytes_max;
  };
  for (const Row& row : {Row{true, 1460, 2'000'000, 2 << 20}, Row{false, 1460, 500'000, 512 << 10},
                         Row{true, 536, 1'000'000, 2 << 20}, Row{false, 536, 500'000, 512 << 10}}) {
    SCOPED_TRACE(::testing::Message() << row.lasting << ' ' << row.mss);
    LwipWorld world;
    wakes_in(world, 10s);
    const std::size_t before = in_use();
    bool is_over = false;
    world.loop().spawn(write_much(world, text, row.lasting, is_over));
    wakes_in(world, 1ms);
    Greedy client(world, row.mss);
    client.acknowledges_max = 6'000'000;
    wakes_in(world, 5s);
    EXPECT_GT(client.acknowledged(), 5'000'000U);
    EXPECT_GE(client.unacknowledged(), row.bytes_min);
    EXPECT_LE(client.unacknowledged(), row.bytes_max);
    EXPECT_LT(in_use() - before, row.lasting ? 450'000U : 750'000U);
    wakes_in(world, 120s);
    EXPECT_TRUE(is_over);
    EXPECT_LT(in_use(), before + 50'000);
  }
}

// ---- Addresses

TEST(LwipAddresses, AreLoggedWhenTheyCanBeUsed) {
  LwipWorld world;
  wakes_in(world, 10s);
  EXPECT_NE(world.log_text().find("network: 10.0.0.1/24\n"), std::string::npos) << world.log_text();
  EXPECT_NE(world.log_text().find("network: fd00::1/64\n"), std::string::npos);
  EXPECT_NE(world.log_text().find("network: fe80::"), std::string::npos);
}

TEST(LwipAddresses, AnnouncesItselfAndAsksWhoElse) {
  int announcements = 0;
  int probes = 0;
  LwipWorld world(1, 1500, net::mirror_options(), {}, [&](const std::string& frame) {
    if (word_at(frame, 12) != 0x0806) return;
    const std::string target = frame.substr(38, 4);
    if (target != std::string("\x0a\0\0\1", 4)) return;
    if (frame.substr(28, 4) == target) ++announcements;
    if (frame.substr(28, 4) == std::string(4, '\0')) ++probes;
  });
  wakes_in(world, 10s);
  EXPECT_EQ(announcements, 3);
  EXPECT_EQ(probes, 3);
  wakes_in(world, 1h);
  EXPECT_EQ(announcements, 3);
}

TEST(LwipAddresses, AnotherHostWithOurAddressIsNamed) {
  LwipWorld world;
  std::string arp(42, '\0');
  const unsigned char head[] = {255, 255, 255, 255, 255, 255, 2, 9, 9, 9, 9, 9, 8,  6, 0, 1,
                                8,   0,   6,   4,   0,   2,   2, 9, 9, 9, 9, 9, 10, 0, 0, 1};
  std::memcpy(arp.data(), head, sizeof head);
  for (int i = 0; i < 100; ++i) world.device().arrive(arp);
  wakes_in(world, 1s);
  const std::string& text = world.log_text();
  const std::size_t first = text.find("with the MAC 02:09:09:09:09:09, has the address 10.0.0.1");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("with the MAC", first + 1), std::string::npos) << "said once";
}

TEST(LwipAddresses, AMissingDhcpServerIsSaidAndAskedAgain) {
  net::lwip::Options options;
  options.ipv6_mode = net::lwip::Ipv6Mode::off;
  LwipWorld world(1, 1500, options);
  int asked = 0;
  world.on_frame = [&](const std::string& frame) {
    if (word_at(frame, 12) == 0x0800 && frame[23] == 17) ++asked;
  };
  wakes_in(world, 600s);
  EXPECT_NE(world.log_text().find("no DHCP server has answered for 10 s; still asking"),
            std::string::npos)
      << world.log_text();
  EXPECT_GT(asked, 5);
  EXPECT_LT(asked, 60) << "at longer and longer intervals";
}

}  // namespace
