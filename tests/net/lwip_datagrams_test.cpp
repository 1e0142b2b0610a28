// SPDX-License-Identifier: ISC
// tests/net/lwip_datagrams_test.cpp: the laws of net::Datagrams, by number, on our own stack.
//
// Method:  the peer is frames in the test's hands, in simulated time.

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/parts/dialing.hpp"
#include "net/lwip/memory.hpp"
#include "net/resolver/resolver.hpp"
#include "tests/net/frames.hpp"
#include "tests/net/peer.hpp"
#include "tests/net/resolver/dns.hpp"

namespace {

static_assert(net::Connector<config::Dialing<net::Lwip>>);

std::string text_of(const net::Result<net::Bytes>& bytes) {
  return bytes ? std::string(base::text_of(*bytes))
               : "error " + std::to_string(static_cast<int>(bytes.error()));
}
const std::string timed_out = text_of(base::failure(net::Error::timed_out));
const std::string cancelled = text_of(base::failure(net::Error::cancelled));

constexpr std::uint32_t server = 0x0a000002;

struct Udp {
  unsigned from_port = 0;
  unsigned to_port = 0;
  std::string text;
};

class LwipDatagrams : public ::testing::Test {
 protected:
  net::Result<net::Lwip::Datagrams> open() {
    return world_.stack().open_datagrams(net::ipv4(10, 0, 0, 2, 53));
  }
  // What the stack sent by UDP since the last time.
  std::vector<Udp> sent() {
    peer_.turn(10ms);
    std::vector<Udp> found;
    for (const std::string& each : std::exchange(peer_.others, {})) {
      if (each.size() < 42 || each[12] != 8 || each[13] != 0 || each[23] != 17) continue;
      const std::size_t bytes = net::offload::get_word(each, 38) - 8U;
      found.push_back({net::offload::get_word(each, 34), net::offload::get_word(each, 36),
                       each.substr(42, bytes)});
    }
    return found;
  }
  void arrive(unsigned to_port, const std::string& text, std::uint32_t from = server,
              unsigned from_port = 53) {
    std::string datagram(8, '\0');
    net::frames::put_word(datagram, 0, from_port);
    net::frames::put_word(datagram, 2, to_port);
    net::frames::put_word(datagram, 4, static_cast<unsigned>(8 + text.size()));
    world_.device().arrive(net::frames::ipv4({.from = from, .protocol = 17}, datagram + text));
    peer_.turn(2ms);
  }
  static Task<void> receive(net::Lwip::Datagrams& datagrams, base::Duration within,
                            std::string& out) {
    auto got = co_await datagrams.receive(within);
    out = text_of(got);
  }
  std::string receive(net::Lwip::Datagrams& datagrams) {
    std::string out;
    world_.loop().spawn(receive(datagrams, 5ms, out));
    peer_.turn(20ms);
    return out;
  }

  net::LwipWorld world_;
  net::Peer peer_{world_};
};

TEST_F(LwipDatagrams, L1AndL2_OnlyThePeersDatagramsWholeAndInOrder) {
  auto datagrams = open();
  ASSERT_TRUE(datagrams && datagrams->send(bytes_of("question")));
  const std::vector<Udp> asked = sent();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].text, "question");
  EXPECT_EQ(asked[0].to_port, 53U);
  const unsigned port = asked[0].from_port;
  arrive(port, "another host", server + 1);
  arrive(port, "another port", server, 54);
  arrive(port ^ 1U, "to another");
  EXPECT_EQ(receive(*datagrams), timed_out);
  const std::string large(1400, 'x');
  for (const std::string& each : {std::string("a"), std::string(), large}) arrive(port, each);
  for (const std::string& each : {std::string("a"), std::string(), large}) {
    EXPECT_EQ(receive(*datagrams), each);
  }
  EXPECT_EQ(receive(*datagrams), timed_out);
  for (int i = 0; i < 100; ++i) arrive(port, std::to_string(i));
  for (int i = 0; i < 16; ++i) EXPECT_EQ(receive(*datagrams), std::to_string(i));
  EXPECT_EQ(receive(*datagrams), timed_out) << "no more are kept";
}

TEST_F(LwipDatagrams, L5_CancelEndsAWaitingReceive) {
  auto opened = open();
  ASSERT_TRUE(opened);
  std::optional<net::Lwip::Datagrams> datagrams(std::move(*opened));
  for (const bool destroys : {false, true}) {
    std::string outcome;
    world_.loop().spawn(receive(*datagrams, 1min, outcome));
    peer_.turn(10ms);
    EXPECT_EQ(outcome, "");
    destroys ? datagrams.reset() : datagrams->cancel();
    EXPECT_EQ(outcome, "") << "not from inside the call";
    peer_.turn(10ms);
    EXPECT_EQ(outcome, cancelled);
  }
}

TEST_F(LwipDatagrams, L5_TheDestructorFreesThePortAndWhatCame) {
  const std::size_t before = net::lwip::Memory::used();
  unsigned port = 0;
  {
    auto datagrams = open();
    ASSERT_TRUE(datagrams && datagrams->send(bytes_of("x")));
    port = sent().at(0).from_port;
    arrive(port, "never received");
    // The coroutine that waits is destroyed with it, too.
    std::string outcome;
    world_.loop().spawn(receive(*datagrams, 1min, outcome));
    world_.loop().destroy_tasks();
  }
  peer_.turn(10ms);
  EXPECT_EQ(net::lwip::Memory::used(), before);
  peer_.others.clear();
  arrive(port, "late");
  bool is_unreachable = false;
  for (const std::string& each : peer_.others) {
    is_unreachable = is_unreachable || (each.size() > 36 && each[23] == 1 && each[34] == 3);
  }
  EXPECT_TRUE(is_unreachable) << "nobody is there any more";
}

TEST_F(LwipDatagrams, PortsAreNotPredictable) {
  std::set<unsigned> ports;
  for (int i = 0; i < 50; ++i) {
    auto datagrams = open();
    ASSERT_TRUE(datagrams && datagrams->send(bytes_of("x")));
    const unsigned port = sent().at(0).from_port;
    EXPECT_GE(port, 1024U);
    ports.insert(port);
  }
  EXPECT_GT(ports.size(), 45U);
  EXPECT_GT(*ports.rbegin() - *ports.begin(), 30'000U);
}

// A whole lookup, at a server that the stack knows; a host that guesses is not believed.
TEST_F(LwipDatagrams, CarryLookups) {
  const net::Endpoint at = net::ipv4(10, 0, 0, 2, 53);
  world_.stack().name_servers().configure({&at, 1});
  net::SeededEntropy entropy(1);
  net::resolver::Resolver<net::Lwip> resolver(world_.loop(), entropy, world_.stack(),
                                              world_.stack().name_servers());
  std::string found;
  auto look_up = [](auto& its_resolver, std::string& out) -> Task<void> {
    auto answer = co_await its_resolver.lookup("a.example", net::resolver::Type::a, 10s);
    out = answer ? net::address_text(answer->addresses[0])
                 : std::string(net::resolver::text_of(answer.error()));
  };
  world_.loop().spawn(look_up(resolver, found));
  const std::vector<Udp> asked = sent();
  ASSERT_EQ(asked.size(), 1U);
  net::dns::Message answer = net::dns::to(asked[0].text);
  answer.answers = {net::dns::record(net::dns::asked, 1, 60, "\x06\x06\x06\x06")};
  arrive(asked[0].from_port, answer.text(), server + 1);
  answer.id ^= 1U;
  arrive(asked[0].from_port, answer.text());
  EXPECT_EQ(found, "");
  answer.id ^= 1U;
  answer.answers = {net::dns::record(net::dns::asked, 1, 60, net::dns::ipv4_data)};
  arrive(asked[0].from_port, answer.text());
  EXPECT_EQ(found, "192.0.2.7");
}

TEST_F(LwipDatagrams, L3_WithoutAWaySendingFails) {
  net::LwipWorld other(1, 1500, [] {
    net::lwip::Options none;
    none.dhcp = false;
    none.ipv6_mode = net::lwip::Ipv6Mode::off;
    return none;
  }());
  auto datagrams = other.stack().open_datagrams(net::ipv4(192, 0, 2, 1, 53));
  ASSERT_TRUE(datagrams);
  EXPECT_FALSE(datagrams->send(bytes_of("x")));
}

}  // namespace
