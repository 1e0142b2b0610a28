// SPDX-License-Identifier: ISC
// tests/net/several_test.cpp: several stacks in one program share nothing, as two machines would
// not; and the end of one is not felt by another.
//
// Method: an appliance with a service network and a management network, and a client on each: four
// stacks on two wires in memory, in simulated time. The laws of flows run on two of them
// (tests/net/several_world.hpp, net_lwip_laws_test).

#include "tests/net/several_world.hpp"

#include "tests/net/frames.hpp"
#include "tests/net/worlds.hpp"

namespace {

using net::Lwip;

constexpr std::uint8_t server = 1;
constexpr std::uint8_t client = 2;

net::lwip::Options in_network(std::uint8_t network, std::uint8_t host) {
  net::lwip::Options options = net::host_options(host);
  options.ipv4->address[2] = network;
  options.ipv6.address[7] = network;
  return options;
}

class Several : public ::testing::Test {
 protected:
  base::Loop& loop() { return loop_; }
  // Lets duplicate address detection come to its end.
  void settle_addresses() { turn_for(4s); }
  void turn_for(base::Duration time) {
    const base::Instant end = loop_.now() + time;
    while (loop_.now() < end) loop_.turn(end);
  }
  void play(Task<void> task) {
    struct World {
      base::Loop& its_loop;
      base::Loop& loop() { return its_loop; }
    } world{loop_};
    run(world, std::move(task));
  }

  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  net::Network service_{loop_};
  net::Network management_{loop_};
};

// What a server says to whoever comes, again and again.
Task<void> greet(Lwip::Listener& listener, std::string_view text) {
  for (;;) {
    auto flow = co_await listener.accept();
    if (!flow) co_return;
    EXPECT_TRUE(co_await send(*flow, text));
    auto down = co_await flow->shutdown(long_time);
    EXPECT_TRUE(down.has_value());
    std::string nothing;
    EXPECT_EQ(co_await drain(*flow, nothing), net::Error::ended);
  }
}

// What is heard there; or that nobody is.
Task<std::string> ask(Lwip& from, const net::Endpoint& at) {
  auto flow = co_await from.connect(at, 5s);
  if (!flow) co_return flow.error() == net::Error::timed_out ? "no answer" : "refused";
  std::string got;
  static_cast<void>(co_await drain(*flow, got));
  static_cast<void>(co_await flow->shutdown(long_time));
  co_return got;
}

net::Endpoint at4(std::uint8_t network, std::uint16_t port) {
  return net::ipv4(10, 0, network, server, port);
}
net::Endpoint at6(std::uint8_t network, std::uint16_t port) {
  return {in_network(network, server).ipv6.address, port};
}

Task<void> ask_once(Lwip& from, Lwip::Listener& there) {
  EXPECT_EQ(co_await ask(from, at4(0, 80)), "service");
  there.close();
}

Task<void> ask_both(Lwip& near, Lwip& far, const net::Endpoint& near_at,
                    const net::Endpoint& far_at) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(co_await ask(near, near_at), "service");
    EXPECT_EQ(co_await ask(far, far_at), "management");
  }
}

struct Case {
  const char* what;
  std::uint8_t far_network;
  bool is_ipv6;
};

// One port on both; and even networks whose addresses are the same.
TEST_F(Several, EachStackAnswersOnItsOwnNetwork) {
  for (const Case& each :
       {Case{"other addresses", 1, false}, Case{"other addresses, IPv6", 1, true},
        Case{"the same addresses", 0, false}, Case{"the same addresses, IPv6", 0, true}}) {
    SCOPED_TRACE(each.what);
    net::Network service(loop());
    net::Network management(loop());
    Lwip& a = service.begin(0, in_network(0, server));
    Lwip& b = management.begin(0, in_network(each.far_network, server));
    Lwip& near = service.begin(1, in_network(0, client));
    Lwip& far = management.begin(1, in_network(each.far_network, client));
    settle_addresses();
    auto first = a.listen(80);
    auto second = b.listen(80);
    ASSERT_TRUE(first.has_value());
    ASSERT_TRUE(second.has_value()) << second.error();
    loop().spawn(greet(*first, "service"));
    loop().spawn(greet(*second, "management"));
    auto all = [](Lwip& one, Lwip& other, const Case& which, Lwip::Listener& x,
                  Lwip::Listener& y) -> Task<void> {
      const auto at = which.is_ipv6 ? at6 : at4;
      co_await ask_both(one, other, at(0, 80), at(which.far_network, 80));
      x.close();
      y.close();
    };
    play(all(near, far, each, *first, *second));
  }
}

// The strong host model (RFC 1122 section 3.3.4.2): an address is reached over its own network
// only.
TEST_F(Several, AnAddressIsNotReachedOverTheOtherNetwork) {
  for (bool is_ipv6 : {false, true}) {
    SCOPED_TRACE(is_ipv6);
    net::Network service(loop());
    net::Network management(loop());
    Lwip& a = service.begin(0, in_network(0, server));
    Lwip& b = management.begin(0, in_network(1, server));
    // Takes the appliance for the router to the other network.
    net::lwip::Options options = in_network(0, client);
    options.ipv4->gateway = net::lwip::Ipv4Address{10, 0, 0, server};
    options.ipv6.gateway = in_network(0, server).ipv6.address;
    Lwip& near = service.begin(1, options);
    turn_for(1min);  // all that it says by itself is said
    auto first = a.listen(80);
    auto second = b.listen(81);
    ASSERT_TRUE(first.has_value() && second.has_value());
    loop().spawn(greet(*first, "service"));
    loop().spawn(greet(*second, "management"));
    std::size_t arrived = 0;
    service.wire.b.carry = [&](const std::string& frame) {
      ++arrived;
      service.wire.a.arrive(frame);
    };
    const std::size_t said_before = management.wire.a.sent_count;
    auto all = [](Lwip& from, bool over_ipv6, std::size_t& count, Lwip::Listener& x,
                  Lwip::Listener& y) -> Task<void> {
      const auto at = over_ipv6 ? at6 : at4;
      EXPECT_EQ(co_await ask(from, at(0, 80)), "service");
      const std::size_t before = count;
      EXPECT_EQ(co_await ask(from, at(1, 81)), "no answer");
      EXPECT_EQ(co_await ask(from, at(1, 80)), "no answer");
      EXPECT_GT(count, before + 2) << "they were sent there";
      x.close();
      y.close();
    };
    play(all(near, is_ipv6, arrived, *first, *second));
    EXPECT_EQ(management.wire.a.sent_count, said_before);
  }
}

// ---- One ends

Task<void> fetch_while(Lwip& from, Lwip::Listener& listener, std::string_view text,
                       const std::function<void()>& in_the_middle) {
  auto flow = co_await from.connect(at4(0, 80), long_time);
  EXPECT_TRUE(flow.has_value());
  if (!flow) co_return;
  std::string got = co_await receive(*flow, text.size() / 2);
  in_the_middle();
  got += co_await receive(*flow, text.size() - got.size());
  EXPECT_TRUE(got == text) << got.size();
  static_cast<void>(co_await flow->shutdown(long_time));
  listener.close();
}

TEST_F(Several, TheEndOfOneIsNotFeltByTheOther) {
  Lwip& a = service_.begin(0, in_network(0, server));
  Lwip& near = service_.begin(1, in_network(0, client));
  management_.begin(0, in_network(1, server));
  auto listener = a.listen(80);
  ASSERT_TRUE(listener.has_value());
  const std::string text = pattern(3'000'000);
  loop().spawn(greet(*listener, text));
  int ended = 0;
  // A third that ends while the first has bytes on their way; and another in its place.
  const std::function<void()> end_and_begin = [&] {
    for (int i = 0; i < 3; ++i) {
      management_.end(0);
      ++ended;
      Lwip& again = management_.begin(0, in_network(1, server));
      EXPECT_TRUE(again.listen(80).has_value()) << "a port like the other's";
    }
    management_.end(0);
  };
  play(fetch_while(near, *listener, text, end_and_begin));
  EXPECT_EQ(ended, 3);
}

// What the first has allocated is found again when it is the last.
TEST_F(Several, WhoBeganFirstMayEndLast) {
  Lwip& near = service_.begin(1, in_network(0, client));
  for (int i = 0; i < 3; ++i) {
    Lwip& a = service_.begin(0, in_network(0, server));
    Lwip& b = management_.begin(0, in_network(1, server));
    auto listener = a.listen(80);
    auto other = b.listen(80);
    ASSERT_TRUE(listener.has_value() && other.has_value());
    loop().spawn(greet(*listener, "service"));
    play(ask_once(near, *listener));
    listener->close();
    other->close();
    (i % 2 == 0 ? service_ : management_).end(0);
    (i % 2 == 0 ? management_ : service_).end(0);
  }
}

// ---- Maxima

TEST_F(Several, ConnectionsOfOneAreNotCountedByTheOther) {
  net::lwip::Options one = in_network(0, server);
  one.connections_max = 1;
  Lwip& a = service_.begin(0, one);
  Lwip& b = management_.begin(0, in_network(1, server));
  Lwip& near = service_.begin(1, in_network(0, client));
  Lwip& far = management_.begin(1, in_network(1, client));
  auto first = a.listen(80);
  auto second = b.listen(80);
  ASSERT_TRUE(first.has_value() && second.has_value());
  loop().spawn(greet(*second, "management"));
  auto all = [](Lwip& one_client, Lwip& other_client, Lwip::Listener& there,
                Lwip& full) -> Task<void> {
    auto held = co_await one_client.connect(at4(0, 80), long_time);
    EXPECT_TRUE(held.has_value());
    EXPECT_EQ(co_await ask(one_client, at4(0, 80)), "no answer") << "it has one already";
    EXPECT_EQ(full.flow_count(), 1U);
    EXPECT_EQ(co_await ask(other_client, at4(1, 80)), "management");
    there.close();
  };
  play(all(near, far, *second, a));
}

// SYNs from more neighbours than there are, and from all the world: the other network hears none of
// it, and its new neighbours are answered at once.
TEST_F(Several, AFloodOnOneNetworkIsNotFeltOnTheOther) {
  Lwip& a = service_.begin(0, in_network(0, server));
  Lwip& b = management_.begin(0, in_network(0, server));
  Lwip& far = management_.begin(1, in_network(0, client));
  auto first = a.listen(80);
  auto second = b.listen(80);
  ASSERT_TRUE(first.has_value() && second.has_value());
  loop().spawn(greet(*second, "service"));
  for (std::uint32_t i = 0; i < 4000; ++i) {
    const std::uint32_t near_or_far = i % 2 == 0 ? 0x0a000003 + i % 250 : 0xc0000200 + i;
    service_.wire.a.arrive(net::frames::tcp({.from = near_or_far, .from_port = 1024 + i}));
    if (i % 100 == 0) turn_for(1ms);
  }
  const base::Instant before = loop().now();
  play(ask_once(far, *second));
  EXPECT_LT(loop().now() - before, 500ms) << "without a retransmission";
}

}  // namespace
