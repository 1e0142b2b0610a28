// SPDX-License-Identifier: ISC
// tests/net/path_mtu_test.cpp: path MTU discovery: TCP is cut to what its path lets through, and
// never fragmented.
//
// Method:  the stack faces itself in a Mirror with a Router on the wire, in simulated time, over
//          both protocols, with and without a device that cuts. Messages that no router of ours
//          would send are made by hand. A table of what PathMtu learns.
// More:    tests/net/simulation.cpp, with TLS and a bad wire; tests/image/path_test.py.

#include "tests/net/lwip_world.hpp"

#include "net/lwip/path_mtu.hpp"
#include "tests/net/router.hpp"
#include "tests/net/worlds.hpp"

namespace {

using net::LwipWorld;
using net::lwip::PathMtu;

struct Case {
  const char* name;
  bool is_ipv6;
  bool cuts;     // the device
  bool lasting;  // the bytes
};

class PathMtuTest : public ::testing::TestWithParam<Case> {
 public:
  PathMtuTest()
      : world_(1, 1500, net::mirror_options(), GetParam().cuts ? net::cutting : net::Offload{}) {
    carry_ = world_.device().carry;
    world_.device().carry = [this](std::string frame) { forward(std::move(frame)); };
    turn(4s);  // until the addresses of IPv6 are known to be nobody else's
  }
  void forward(std::string frame) {
    largest_ = std::max(largest_, frame.size() - 14);
    std::string message;
    if (router_.passes(frame, message)) {
      carry_(std::move(frame));
    } else {
      last_lost_ = frame;
      if (!message.empty()) world_.device().arrive(message);
    }
  }
  void turn(base::Duration time) {
    const base::Instant end = world_.loop().now() + time;
    while (world_.loop().now() < end) world_.loop().turn(end);
  }
  void play(Task<void> task) {
    world_.loop().on_exception = [](std::string_view what) noexcept { ADD_FAILURE() << what; };
    world_.loop().spawn(std::move(task));
    for (int i = 0; i < 60 && world_.loop().spawned_count() > 0; ++i) turn(1min);
    EXPECT_EQ(world_.loop().spawned_count(), 0U) << "a task hangs";
  }
  Task<void> open(Ends<net::Lwip>& ends) {
    auto listener = world_.stack().listen(0);
    REQUIRE(listener.has_value());
    world_.loop().spawn(accept_into<net::Lwip>(*listener, ends.server));
    const std::uint16_t port = listener->port();
    const net::Endpoint at = GetParam().is_ipv6 ? LwipWorld::at_ipv6(port) : LwipWorld::at(port);
    auto client = co_await world_.stack().connect(at, long_time);
    REQUIRE(client.has_value());
    ends.client.emplace(std::move(*client));
    while (!ends.server) co_await world_.loop().sleep_for(1ms);
  }
  static Task<void> write_all(net::Lwip::Flow& flow, const std::string& text) {
    const net::Piece piece{bytes_of(text), GetParam().lasting};
    auto written = co_await flow.write({&piece, 1}, long_time);
    EXPECT_TRUE(written.has_value());
  }
  // Sends `text` and takes it; when an eighth of it has come the path shrinks, or grows.
  Task<void> transfer(Ends<net::Lwip>& ends, const std::string& text, std::size_t mtu_bytes) {
    world_.loop().spawn(write_all(*ends.server, text));
    std::string got = co_await receive(*ends.client, text.size() / 8);
    router_.mtu_bytes = mtu_bytes;
    got += co_await receive(*ends.client, text.size() - got.size());
    EXPECT_TRUE(got == text) << got.size() << " of " << text.size();
  }
  Task<void> shrink_in_the_middle(std::size_t mtu_bytes) {
    Ends<net::Lwip> ends;
    co_await open(ends);
    const std::string text = pattern(400'000);
    const base::Instant begin = world_.loop().now();
    co_await transfer(ends, text, mtu_bytes);
    EXPECT_LT(world_.loop().now() - begin, 1s) << "nothing waits for a timeout";
    EXPECT_GT(router_.lost_count, 0U);
    const std::size_t lost = router_.lost_count;
    largest_ = 0;
    // Another connection to that host begins with what is known; so does this one go on.
    Ends<net::Lwip> others;
    co_await open(others);
    co_await transfer(others, text, mtu_bytes);
    co_await transfer(ends, text, mtu_bytes);
    EXPECT_EQ(router_.lost_count, lost);
    EXPECT_EQ(largest_, mtu_bytes);
    EXPECT_EQ(router_.divisible_count, 0U);
    // After ten minutes it is tried again.
    co_await world_.loop().sleep_for(PathMtu::kept + 1s);
    router_.mtu_bytes = 1500;
    Ends<net::Lwip> later;
    co_await open(later);
    largest_ = 0;
    co_await transfer(later, text, 1500);
    EXPECT_EQ(largest_, 1500U);
  }

  LwipWorld world_;
  std::function<void(std::string)> carry_;
  net::Router router_;
  std::size_t largest_ = 0;  // packet
  std::string last_lost_;
};

TEST_P(PathMtuTest, ADownloadGoesOnWhenThePathShrinks) { play(shrink_in_the_middle(1280)); }

TEST_P(PathMtuTest, ItMayShrinkAgain) {
  auto task = [](PathMtuTest& test) -> Task<void> {
    Ends<net::Lwip> ends;
    co_await test.open(ends);
    const std::string text = pattern(300'000);
    for (std::size_t mtu : {1400U, 1300U, 1280U}) {
      co_await test.transfer(ends, text, mtu);
      EXPECT_EQ(test.router_.divisible_count, 0U);
    }
  };
  play(task(*this));
}

// Nobody acknowledges what is under way, so what was cut is sent again by the timer, several times.
TEST_P(PathMtuTest, WhatWasCutIsSentAgainAndAgain) {
  auto task = [](PathMtuTest& test) -> Task<void> {
    Ends<net::Lwip> ends;
    co_await test.open(ends);
    const std::string text = pattern(100'000);
    test.router_.mtu_bytes = 1280;
    test.world_.loop().spawn(write_all(*ends.server, text));
    co_await test.world_.loop().sleep_for(1ms);
    const auto carry = std::exchange(test.carry_, [](const std::string&) {});
    co_await test.world_.loop().sleep_for(15s);
    test.carry_ = carry;
    const std::string got = co_await receive(*ends.client, text.size());
    EXPECT_TRUE(got == text);
    EXPECT_EQ(test.router_.divisible_count, 0U);
  };
  play(task(*this));
}

// What is said of packets that are not under way changes nothing, nor does what makes no sense.
TEST_P(PathMtuTest, OnlyAQuoteOfWhatIsUnderWayCounts) {
  auto task = [](PathMtuTest& test) -> Task<void> {
    Ends<net::Lwip> ends;
    co_await test.open(ends);
    test.router_.mtu_bytes = 1300;
    test.router_.tells = false;
    test.world_.loop().spawn(write_all(*ends.server, "x" + pattern(5000)));
    co_await test.world_.loop().sleep_for(1ms);
    const bool is_ipv6 = GetParam().is_ipv6;
    const std::string good = test.last_lost_;
    EXPECT_FALSE(good.empty());
    const std::size_t tcp = is_ipv6 ? 54 : 34;
    // Every byte by which a connection is known, and a sequence number that is not under way.
    std::vector<std::string> wrong;
    for (std::size_t at : {tcp - 1, tcp - 5, tcp + 1, tcp + 3, tcp + 4}) {
      wrong.push_back(good);
      wrong.back()[at] ^= 0x55;
    }
    wrong.push_back(good.substr(0, tcp + 6));
    wrong.push_back(good);
    wrong.back()[is_ipv6 ? 20 : 23] = 17;  // UDP
    for (const std::string& each : wrong) {
      test.world_.device().arrive(test.router_.too_big(each, is_ipv6));
    }
    if (is_ipv6) {
      test.router_.mtu_bytes = 1279;
      test.world_.device().arrive(test.router_.too_big(good, is_ipv6));
      test.router_.mtu_bytes = 1300;
    }
    std::string broken = test.router_.too_big(good, is_ipv6);
    broken[is_ipv6 ? 56 : 36] ^= 1;  // the checksum
    test.world_.device().arrive(broken);
    const std::size_t lost = test.router_.lost_count;
    test.largest_ = 0;
    co_await test.world_.loop().sleep_for(5s);
    EXPECT_GT(test.router_.lost_count, lost) << "still sent as long as before";
    EXPECT_EQ(test.largest_, 1500U);
    test.world_.device().arrive(test.router_.too_big(good, is_ipv6));
    co_await receive(*ends.client, 5001);
  };
  play(task(*this));
}

constexpr Case cases[] = {
    {"ipv4", false, false, true},        {"ipv4_copied", false, false, false},
    {"ipv4_cuts", false, true, true},    {"ipv6", true, false, true},
    {"ipv6_copied", true, false, false}, {"ipv6_cuts", true, true, true},
};
INSTANTIATE_TEST_SUITE_P(Both, PathMtuTest, ::testing::ValuesIn(cases),
                         [](const auto& each) { return std::string(each.param.name); });

// ---- The table

PathMtu::Address ipv4_host(std::uint8_t last) { return net::ipv4(10, 0, 0, last, 0).address; }
PathMtu::Address ipv6_host(std::uint8_t last) {
  PathMtu::Address host = net::mirror_ends.real6;
  host.back() = last;
  return host;
}

TEST(PathMtuTable, IsNeverBelowTheFloors) {
  struct {
    PathMtu::Address host;
    std::size_t told;
    bool changes;
    std::size_t bytes;
  } const table[] = {
      {ipv4_host(1), 1499, true, 1499},
      {ipv4_host(2), 1500, false, 1500},
      {ipv4_host(3), 552, true, 552},
      {ipv4_host(4), 551, true, 552},
      {ipv4_host(5), 0, true, 552},
      {ipv4_host(6), 65'535, false, 1500},
      {ipv6_host(7), 1499, true, 1499},
      {ipv6_host(8), 1280, true, 1280},
      {ipv6_host(9), 1279, false, 1500},
      {ipv6_host(10), 0, false, 1500},
      {ipv6_host(11), 0xffff'ffff, false, 1500},
  };
  PathMtu paths;
  for (const auto& each : table) {
    EXPECT_EQ(paths.learn(each.host, each.told, 1500, {}), each.changes) << each.told;
    EXPECT_EQ(paths.bytes_to(each.host, 1500), each.bytes) << each.told;
  }
}

TEST(PathMtuTable, OnlyShrinksAndForgets) {
  PathMtu paths;
  const base::Instant start{};
  EXPECT_TRUE(paths.learn(ipv4_host(1), 1400, 1500, start));
  EXPECT_FALSE(paths.learn(ipv4_host(1), 1450, 1500, start + 1min));
  EXPECT_TRUE(paths.learn(ipv4_host(1), 1300, 1500, start + 1min));
  EXPECT_FALSE(paths.expire(start + PathMtu::kept));
  EXPECT_EQ(paths.bytes_to(ipv4_host(1), 1500), 1300U);
  EXPECT_EQ(paths.bytes_to(ipv4_host(1), 1280), 1280U) << "the interface has less";
  EXPECT_TRUE(paths.expire(start + 1min + PathMtu::kept));
  EXPECT_EQ(paths.bytes_to(ipv4_host(1), 1500), 1500U);
  EXPECT_TRUE(paths.is_empty());
}

TEST(PathMtuTable, IsBounded) {
  PathMtu paths;
  for (std::uint8_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(paths.learn(ipv4_host(i), 1400, 1500, base::Instant(std::chrono::seconds(i))));
  }
  EXPECT_EQ(paths.bytes_to(ipv4_host(0), 1500), 1500U) << "the oldest is forgotten";
  EXPECT_EQ(paths.bytes_to(ipv4_host(199), 1500), 1400U);
}

}  // namespace
