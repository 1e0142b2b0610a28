// SPDX-License-Identifier: ISC
// tests/net/survival_test.cpp: what our own stack does when somebody means ill, or when very many
// mean well.
//
// Method:  an HTTP server on a stack that faces itself in a Mirror, in simulated time; frames are
//          also put on its wire by hand. After and during each attack an honest client must get its
//          page; memory is what malloc says is in use.
// More:    SURVIVAL_TIMES=10 in the environment makes each attack ten times as long.

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <deque>
#include <string>

#include "http/server.hpp"
#include "kv/memory/memory.hpp"
#include "tests/net/frames.hpp"
#include "tests/net/lwip_world.hpp"
#include "tests/net/worlds.hpp"

namespace {

using net::Chance;
using net::LwipWorld;

std::size_t in_use() { return mallinfo2().uordblks; }

std::size_t times() {
  const char* text = std::getenv("SURVIVAL_TIMES");
  const int asked = text != nullptr ? std::atoi(text) : 1;
  return asked > 0 ? static_cast<std::size_t>(asked) : 1;
}

constexpr std::size_t page_bytes = 20'000;

class Survival : public ::testing::Test {
 protected:
  explicit Survival(const net::lwip::Options& options = net::mirror_options(),
                    const http::Options& server_options = {})
      : world_(1, 1500, with_gateway(options)),
        page_(pattern(page_bytes)),
        server_(store_, world_.stack(), world_.loop(), server_options, access_) {
    world_.loop().on_exception = [](std::string_view what) noexcept { ADD_FAILURE() << what; };
    store_.put(kv::Key("page"), page_);
    EXPECT_TRUE(server_.listen(80).has_value());
    world_.loop().spawn(server_.run());
    turn(1s);
  }
  ~Survival() override {
    server_.drain();
    for (int i = 0; i < 1000 && world_.loop().spawned_count() > 0; ++i) turn(1s);
    EXPECT_EQ(world_.loop().spawned_count(), 0U);
    EXPECT_EQ(world_.stack().flow_count(), 0U);
  }

  // The world beyond is behind the other end of the mirror.
  static net::lwip::Options with_gateway(net::lwip::Options options) {
    options.ipv4->gateway = net::mirror_ends.other4;
    return options;
  }

  void turn(base::Duration time) {
    const base::Instant end = world_.loop().now() + time;
    while (world_.loop().now() < end) world_.loop().turn(end);
  }
  // An honest client gets the page, within a little while.
  void expect_service(const std::string& when, net::Endpoint at = LwipWorld::at(80)) {
    bool served = false;
    world_.loop().spawn(get_page(served, at));
    for (int i = 0; i < 100 && !served; ++i) turn(100ms);
    EXPECT_TRUE(served) << when;
  }
  // The stack has seen each frame of an attack.
  void expect_all_came() { EXPECT_EQ(world_.device().dropped_count, 0U); }
  Task<void> get_page(bool& served, net::Endpoint at = LwipWorld::at(80)) {
    auto flow = co_await world_.stack().connect(at, 5s);
    if (!flow) co_return;
    EXPECT_TRUE(co_await send(*flow, "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    std::string got;
    co_await drain(*flow, got);
    served = got.ends_with(page_) && got.starts_with("HTTP/1.1 200");
  }

  LwipWorld world_;
  std::string page_;
  kv::Memory store_;
  net::Lines lines_;
  http::AccessLog access_{lines_, world_.loop(), http::LogFormat::off};
  http::Server<kv::Memory, net::Lwip> server_;
};

TEST_F(Survival, AFloodOfSynsFromEverywhere) {
  expect_service("before");
  Chance chance(1);
  auto flood = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      world_.device().arrive(net::frames::tcp(
          {.from = static_cast<std::uint32_t>(0x0b000000 + chance.below(0x80000000)),
           .from_port = static_cast<unsigned>(1024 + chance.below(60'000)),
           .sequence = static_cast<std::uint32_t>(chance.next())}));
      if (i % 100 == 99) world_.loop().turn(world_.loop().now() + 1ms);
    }
  };
  flood(10'000);
  const std::size_t before = in_use();
  flood(100'000 * times());
  EXPECT_LT(in_use(), before + 100'000) << "what is half open is bounded";
  bool served = false;
  world_.loop().spawn(get_page(served));
  for (int i = 0; i < 100 && !served; ++i) flood(100);
  EXPECT_TRUE(served) << "during it";
  expect_service("after");
  expect_all_came();
}

Task<void> come_and_go(LwipWorld& world, std::size_t count, std::size_t& done) {
  for (std::size_t i = 0; i < count; ++i) {
    auto flow = co_await world.stack().connect(LwipWorld::at(80), 20s);
    REQUIRE(flow.has_value());
    REQUIRE(co_await send(*flow, "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    std::string got;
    const net::Error end = co_await drain(*flow, got);
    REQUIRE(end == net::Error::ended);
    REQUIRE(got.starts_with("HTTP/1.1 404"));
    ++done;
  }
}
TEST_F(Survival, ManyShortConnections) {
  std::size_t done = 0;
  for (int i = 0; i < 4; ++i) world_.loop().spawn(come_and_go(world_, 500, done));
  while (done < 2000) turn(10ms);
  const std::size_t before = in_use();
  const std::size_t count = 20'000 * times();
  for (int i = 0; i < 4; ++i) world_.loop().spawn(come_and_go(world_, count / 4, done));
  while (done < 2000 + count) turn(10ms);
  EXPECT_LT(in_use(), before + 100'000);
  expect_all_came();
}

// Everybody is a neighbour; those of the flood are not there.
class OneLink : public Survival {
 protected:
  OneLink() : Survival(wide()) {}
  static net::lwip::Options wide() {
    net::lwip::Options options = net::mirror_options();
    options.ipv4->prefix_bits = 8;
    return options;
  }
};
TEST_F(OneLink, AFloodOfSynsFromNeighboursThatAreNone) {
  expect_service("before");
  Chance chance(5);
  std::size_t asked_for_client = 0;
  std::size_t asked_for_others = 0;
  world_.on_frame = [&](const std::string& frame) {
    if (net::offload::get_word(frame, 12) != 0x0806 || frame[21] != 1) return;
    const bool is_client = frame.compare(38, 4, std::string("\x0a\0\0\2", 4)) == 0;
    ++(is_client ? asked_for_client : asked_for_others);
  };
  const base::Instant begin = world_.loop().now();
  for (std::size_t i = 0; i < 100'000 * times(); ++i) {
    world_.device().arrive(
        net::frames::tcp({.from = 0x0a010000U + static_cast<std::uint32_t>(chance.below(0x800000)),
                          .from_port = 1024 + static_cast<unsigned>(chance.below(60'000))}));
    if (i % 100 == 99) world_.loop().turn(world_.loop().now() + 10ms);
    if (i % 20'000 == 0) expect_service("meanwhile");
  }
  const auto seconds = static_cast<std::size_t>((world_.loop().now() - begin) / 1s);
  EXPECT_GT(seconds, 9U);
  EXPECT_EQ(asked_for_client, 0U) << "its MAC is known all the time";
  EXPECT_GT(asked_for_others, 10U);
  // At most 40 unknown neighbours at once, and two a second; each is asked for up to five times
  // when it is answered and when it is answered again, some seconds later.
  EXPECT_LE(asked_for_others, 10 * (40 + 2 * (seconds + 1)));
  world_.on_frame = {};
  turn(30s);
  expect_all_came();
}

Task<void> open_one(LwipWorld& world, std::deque<net::Lwip::Flow>& flows) {
  auto flow = co_await world.stack().connect(LwipWorld::at(80), 60s);
  REQUIRE(flow.has_value());
  flows.push_back(std::move(*flow));
}
TEST_F(Survival, FiveThousandOpenConnections) {
  std::deque<net::Lwip::Flow> flows;
  const std::size_t before = in_use();
  for (std::size_t i = 0; i < 5000; ++i) {
    world_.loop().spawn(open_one(world_, flows));
    if (i % 50 == 49) turn(5ms);
  }
  for (int i = 0; i < 100 && flows.size() < 5000; ++i) turn(100ms);
  EXPECT_EQ(flows.size(), 5000U);
  const std::size_t each = (in_use() - before) / 10'000;
  RecordProperty("bytes_for_each_end", static_cast<int>(each));
  EXPECT_LT(each, 2500U) << "of each end, the server's coroutine and session included";
  expect_service("with all of them open");
  flows.clear();
  turn(80s);
  EXPECT_EQ(server_.connection_count(), 0U);
}

Task<void> ask_and_never_read(LwipWorld& world, std::deque<net::Lwip::Flow>& flows) {
  auto flow = co_await world.stack().connect(LwipWorld::at(80), 60s);
  REQUIRE(flow.has_value());
  const std::string question = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string many;
  for (int i = 0; i < 200; ++i) many += question;
  EXPECT_TRUE(co_await send(*flow, many));
  flows.push_back(std::move(*flow));
}
TEST_F(Survival, ClientsThatNeverRead) {
  std::size_t left = 0;
  for (int round = 0; round < 3; ++round) {
    const std::size_t before = in_use();
    std::deque<net::Lwip::Flow> flows;
    for (int i = 0; i < 100; ++i) world_.loop().spawn(ask_and_never_read(world_, flows));
    turn(5s);
    EXPECT_EQ(flows.size(), 100U);
    // The client's window and its frames are in this process too: 64 KiB and a pbuf for each 1,460
    // bytes. The server's end holds at most 16 segments more when the window has closed.
    const std::size_t each = (in_use() - before) / 100;
    RecordProperty("bytes_for_each_pair", static_cast<int>(each));
    EXPECT_LT(each, 200'000U);
    expect_service("meanwhile");
    turn(120s);  // the server has given them up
    EXPECT_EQ(server_.connection_count(), 0U);
    flows.clear();
    turn(60s);
    // The first round leaves what connections are used again for.
    if (round > 0) {
      EXPECT_LT(in_use(), left + 20'000);
    }
    left = in_use();
  }
}

TEST_F(Survival, AStormOfArp) {
  expect_service("before");
  Chance chance(2);
  std::size_t before = 0;
  for (std::size_t i = 0; i < 50'000 * times(); ++i) {
    if (i == 5000) before = in_use();
    std::string mac(6, '\x02');
    for (std::size_t k = 1; k < 6; ++k) mac[k] = static_cast<char>(chance.next());
    const auto from = static_cast<std::uint32_t>(0x0a000003 + chance.below(250));
    const bool is_for_us = chance.happens(0.5);
    world_.device().arrive(
        net::frames::arp_request(from, mac, is_for_us ? net::frames::our_ipv4 : 0x0a0000fe));
    if (i % 100 == 99) world_.loop().turn(world_.loop().now() + 1ms);
  }
  EXPECT_LT(in_use(), before + 100'000);
  expect_service("after");
  expect_all_came();
}

TEST_F(Survival, FragmentsThatAreNeverWhole) {
  expect_service("before");
  Chance chance(3);
  std::size_t before = 0;
  for (std::size_t i = 0; i < 20'000 * times(); ++i) {
    if (i == 2000) before = in_use();
    const unsigned offset = static_cast<unsigned>(chance.below(8000));
    const unsigned more = chance.happens(0.8) ? 0x2000U : 0U;
    world_.device().arrive(net::frames::ipv4(
        {.protocol = 1, .id = static_cast<unsigned>(chance.below(200)), .fragment = more | offset},
        std::string(8 * (1 + chance.below(100)), 'x')));
    if (i % 100 == 99) world_.loop().turn(world_.loop().now() + 1ms);
  }
  EXPECT_LT(in_use(), before + 300'000);
  expect_service("after");
  turn(60s);
  expect_all_came();
}

// Good frames of exchanges over both protocols, a ping, a fragment and a datagram, each changed a
// little: every field of every layer gets its turn.
TEST_F(Survival, FramesThatAreNearlyRight) {
  std::vector<std::string> good;
  world_.on_frame = [&](const std::string& frame) {
    if (good.size() < 400) good.push_back(frame);
  };
  expect_service("before", LwipWorld::at(80));
  const std::size_t of_ipv4 = good.size();
  turn(5s);  // until the address of IPv6 is known to be nobody else's
  expect_service("before", LwipWorld::at_ipv6(80));
  world_.on_frame = {};
  ASSERT_GT(of_ipv4, 20U);
  ASSERT_GT(good.size(), of_ipv4 + 20U);
  for (unsigned i = 0; i < 20; ++i) {
    const std::string echo("\x08\0\xf7\xff\0\0\0\0", 8);
    good.push_back(net::frames::ipv4({.protocol = 1}, echo));
    good.push_back(net::frames::ipv4({.protocol = 1, .id = i, .fragment = 0x2000}, echo));
    good.push_back(net::frames::ipv4({.protocol = 17}, std::string("\0\x43\0\x44\0\x8\0\0", 8)));
  }
  Chance chance(4);
  for (std::size_t i = 0; i < 100'000 * times(); ++i) {
    std::string frame = good[chance.below(good.size())];
    frame.replace(0, 6, net::frames::our_mac);
    for (std::uint64_t k = chance.below(4); k > 0; --k) {
      frame[chance.below(std::min<std::size_t>(frame.size(), 80))] =
          static_cast<char>(chance.next());
    }
    if (chance.happens(0.3)) frame.resize(chance.below(frame.size() + 1));
    world_.device().vouches = chance.happens(0.5);  // so that TCP gets to see them
    world_.device().arrive(frame);
    if (i % 100 == 99) world_.loop().turn(world_.loop().now() + 1ms);
  }
  world_.device().vouches = false;
  turn(60s);
  expect_service("after", LwipWorld::at(80));
  expect_service("after", LwipWorld::at_ipv6(80));
  expect_all_came();
}

class FewConnections : public Survival {
 protected:
  FewConnections() : Survival(few()) {}
  static net::lwip::Options few() {
    net::lwip::Options options = net::mirror_options();
    options.connections_max = 40;  // of both ends together
    return options;
  }
};
TEST_F(FewConnections, AboveTheMaximumNewcomersWait) {
  std::deque<net::Lwip::Flow> flows;
  for (int i = 0; i < 20; ++i) world_.loop().spawn(open_one(world_, flows));
  // The first frames to a neighbour wait in a queue of 8 for its MAC; others are lost. And the
  // addresses are announced for 4 s.
  turn(6s);
  EXPECT_EQ(flows.size(), 20U);
  EXPECT_EQ(world_.stack().flow_count(), 40U);
  // A SYN by hand: it is not answered.
  std::size_t segments = 0;
  world_.on_frame = [&](const std::string& frame) { segments += frame[23] == 6 ? 1 : 0; };
  world_.device().arrive(net::frames::tcp({.from_port = 55555}));
  turn(10ms);
  EXPECT_EQ(segments, 0U);
  world_.on_frame = {};
  flows.clear();
  turn(30s);
  expect_service("when there is room again");
}

// One request on a connection that stays.
Task<void> ask(net::Lwip::Flow& flow, const std::string& page, bool& served) {
  served = false;
  const bool sent = co_await send(flow, "GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
  std::string got;
  while (sent && !got.ends_with(page)) {
    auto bytes = co_await flow.read(65536, 10s);
    if (!bytes) co_return;
    got += base::text_of(*bytes);
  }
  served = sent && got.starts_with("HTTP/1.1 200");
}

class FewServed : public Survival {
 protected:
  FewServed() : Survival(net::mirror_options(), few()) {}
  static http::Options few() {
    http::Options options;
    options.connections_max = 5;
    return options;
  }
  bool is_served(net::Lwip::Flow& flow) {
    bool served = false;
    world_.loop().spawn(ask(flow, page_, served));
    turn(200ms);
    return served;
  }
};
TEST_F(FewServed, AtTheMaximumTheLongestIdleMakesRoom) {
  std::deque<net::Lwip::Flow> flows;
  for (std::size_t i = 0; i < 5; ++i) {
    world_.loop().spawn(open_one(world_, flows));
    turn(200ms);
    ASSERT_EQ(flows.size(), i + 1);
    EXPECT_TRUE(is_served(flows[i]));
  }
  EXPECT_TRUE(is_served(flows[0]));  // so the second has been idle for longest
  EXPECT_EQ(server_.connection_count(), 5U);
  expect_service("at the maximum");
  EXPECT_FALSE(is_served(flows[1]));
  for (std::size_t i : {0U, 2U, 3U, 4U}) EXPECT_TRUE(is_served(flows[i])) << i;
  flows.clear();
  turn(60s);
}

}  // namespace
