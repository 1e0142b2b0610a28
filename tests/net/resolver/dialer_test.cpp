// SPDX-License-Identifier: ISC
// tests/net/resolver/dialer_test.cpp: Happy Eyeballs: who is tried when, and who wins; and the laws
// of net::Connector.
//
// Method:  lookups and hosts that answer when the test says, in simulated time.

#include "net/resolver/dialer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/net/resolver/world.hpp"

namespace {

using namespace std::chrono_literals;
using net::dns::Host;
using net::resolver::Answer;
using net::resolver::Error;
using net::resolver::Found;
using net::resolver::Type;

class Lookups {
 public:
  struct Known {
    base::Duration after{};
    Answer answer = base::failure(Error::no_address);
  };
  explicit Lookups(base::Loop& loop) : loop_(loop) {}
  base::Task<Answer> lookup(std::string_view, Type type, base::Duration within) {
    const Known known = type == Type::a ? v4 : v6;
    if (known.after > within) {
      co_await loop_.sleep_for(within);
      co_return base::failure(Error::timed_out);
    }
    if (known.after > base::Duration(0)) co_await loop_.sleep_for(known.after);
    co_return known.answer;
  }
  Known v4;
  Known v6;

 private:
  base::Loop& loop_;
};

Answer found(std::initializer_list<const char*> texts) {
  Found all;
  for (const char* text : texts) all.addresses.at(all.count++) = *net::address_of(text);
  return all;
}

struct Dialing : net::dns::World {
  using Dialer = net::resolver::Dialer<net::dns::ScriptedStack, Lookups>;
  static_assert(net::Connector<Dialer>);
  Lookups lookups{loop};
  Dialer dialer{loop, stack, lookups};
  std::optional<net::ConnectResult<net::MemoryFlow>> result;

  base::Task<void> dial(base::Duration within) {
    auto flow = co_await dialer.connect("a.example", 443, within);
    result.emplace(std::move(flow));
    done = loop.now();
  }
  void start(base::Duration within = 30s) { loop.spawn(dial(within)); }
  void connect(base::Duration within = 30s) {
    start(within);
    run_until([this] { return result.has_value(); });
    ASSERT_TRUE(result);
    EXPECT_EQ(stack.under_way, 0U) << "nobody is left behind";
  }
  // "2001:db8::1 0, 192.0.2.1 250": who was tried, and after how many ms.
  [[nodiscard]] std::string tried() const {
    std::string out;
    for (const auto& [name, at] : stack.connects) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at - base::Instant{});
      out += (out.empty() ? "" : ", ") + name + " " + std::to_string(ms.count());
    }
    return out;
  }
};

TEST(Dialer, TheFamiliesTakeTurns) {
  Dialing world;
  world.lookups.v6.answer = found({"2001:db8::1", "2001:db8::2"});
  world.lookups.v4.answer = found({"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  for (const char* name : {"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"}) {
    world.stack.hosts[name].is_silent = true;
  }
  world.connect();
  EXPECT_TRUE(*world.result);
  EXPECT_EQ(world.tried(),
            "2001:db8::1 0, 192.0.2.1 250, 2001:db8::2 500, 192.0.2.2 750, 192.0.2.3 1000");
  EXPECT_EQ(world.now(), 1s);
  EXPECT_EQ(world.stack.open_flows(), 1U);
}

TEST(Dialer, TheFirstThatIsConnectedWins) {
  Dialing world;
  world.lookups.v6.answer = found({"2001:db8::1"});
  world.lookups.v4.answer = found({"192.0.2.1"});
  world.stack.hosts["2001:db8::1"].answers_after = 400ms;
  world.stack.hosts["192.0.2.1"].answers_after = 100ms;
  world.connect();
  ASSERT_TRUE(*world.result);
  EXPECT_EQ(world.now(), 350ms);
  EXPECT_EQ(world.stack.wires.size(), 1U);
  world.run_until([&] { return world.loop.now() > base::Instant{} + 2s; });
  EXPECT_EQ(world.stack.wires.size(), 1U) << "the other was cancelled";
}

TEST(Dialer, AFailureIsNotWaitedFor) {
  Dialing world;
  world.lookups.v6.answer = found({"2001:db8::1", "2001:db8::2"});
  world.lookups.v4.answer = found({"192.0.2.1"});
  world.stack.hosts["2001:db8::1"].refuses = true;
  world.stack.hosts["192.0.2.1"] = Host{.answers_after = 10ms, .refuses = true};
  world.connect();
  EXPECT_TRUE(*world.result);
  EXPECT_EQ(world.tried(), "2001:db8::1 0, 192.0.2.1 0, 2001:db8::2 10");
}

TEST(Dialer, AnIpv4AnswerWaitsForTheOtherALittle) {
  for (const auto& [v6_after, tried] :
       std::map<base::Duration, std::string>{{20ms, "2001:db8::1 30"},
                                             {10ms, "2001:db8::1 20"},
                                             {0ms, "2001:db8::1 0"},
                                             {70ms, "192.0.2.1 60, 2001:db8::1 310"},
                                             {10h, "192.0.2.1 60"}}) {
    Dialing world;
    world.lookups.v4 = {10ms, found({"192.0.2.1"})};
    world.lookups.v6 = {v6_after == 0ms || v6_after > 50ms ? v6_after : v6_after + 10ms,
                        found({"2001:db8::1"})};
    world.stack.hosts["192.0.2.1"].answers_after = 300ms;
    world.connect();
    EXPECT_TRUE(*world.result);
    EXPECT_EQ(world.tried(), tried);
  }
}

TEST(Dialer, AnIpv6AnswerWaitsForNobody) {
  Dialing world;
  world.lookups.v4.after = 10h;
  world.lookups.v6 = {5ms, found({"2001:db8::1"})};
  world.connect();
  EXPECT_TRUE(*world.result);
  EXPECT_EQ(world.tried(), "2001:db8::1 5");
}

TEST(Dialer, SaysWhatFailedForEachAddress) {
  Dialing world;
  world.lookups.v6.answer = found({"2001:db8::1"});
  world.lookups.v4.answer = found({"192.0.2.1"});
  world.stack.hosts["2001:db8::1"].refuses = true;
  world.stack.hosts["192.0.2.1"].is_silent = true;
  world.connect(5s);
  ASSERT_FALSE(*world.result);
  EXPECT_EQ(world.now(), 5s);
  EXPECT_EQ(world.result->error().error, net::Error::timed_out);
  EXPECT_EQ(world.result->error().what,
            "a.example:443: 2001:db8::1 refused or cannot be reached; "
            "192.0.2.1 did not answer in time");
}

TEST(Dialer, SaysWhyThereIsNoAddress) {
  const struct {
    Error v6;
    Error v4;
    const char* what;
  } rows[] = {
      {Error::no_such_name, Error::no_such_name, "a.example:443 does not exist"},
      {Error::no_address, Error::no_address, "a.example:443 has no address"},
      {Error::timed_out, Error::no_address,
       "a.example:443 could not be looked up: no DNS server answers"},
      {Error::no_address, Error::failed,
       "a.example:443 could not be looked up: the DNS servers fail"},
  };
  for (const auto& row : rows) {
    Dialing world;
    world.lookups.v6.answer = base::failure(row.v6);
    world.lookups.v4.answer = base::failure(row.v4);
    world.connect();
    ASSERT_FALSE(*world.result);
    EXPECT_EQ(world.result->error().what, row.what);
    EXPECT_EQ(world.now(), 0s);
  }
  Dialing late;
  late.lookups.v6.after = late.lookups.v4.after = 1h;
  late.connect(3s);
  ASSERT_FALSE(*late.result);
  EXPECT_EQ(late.now(), 3s);
  EXPECT_EQ(late.result->error().error, net::Error::timed_out);
}

TEST(Dialer, OneThatIsGivenUpLeavesNothing) {
  for (const base::Duration at : {0ms, 10ms, 300ms, 600ms}) {
    Dialing world;
    world.lookups.v6 = {5ms, found({"2001:db8::1"})};
    world.lookups.v4 = {5ms, found({"192.0.2.1"})};
    world.stack.hosts["2001:db8::1"].is_silent = true;
    world.stack.hosts["192.0.2.1"].is_silent = true;
    world.start();
    const base::Instant end = world.loop.now() + at;
    do world.loop.turn(end);
    while (world.loop.now() < end);
    world.loop.destroy_tasks();
    EXPECT_EQ(world.stack.under_way, 0U);
    EXPECT_EQ(world.stack.open_flows(), 0U);
  }
}

}  // namespace
