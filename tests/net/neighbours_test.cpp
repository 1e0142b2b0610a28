// SPDX-License-Identifier: ISC
// tests/net/neighbours_test.cpp: neighbour discovery and autoconfiguration, of messages that are
// valid and of such as are not (RFC 4861 sections 6.1, 7.1 and 8.1, RFC 4862).
//
// Method:  messages by hand to a stack in simulated time, and what it says; one valid message, and
//          what makes it invalid, in a table. The rules alone are called as functions.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "net/lwip/neighbours.hpp"
#include "tests/net/peer.hpp"

namespace {

using net::LwipWorld;
using net::frames::other_ipv6;
using net::frames::our_ipv6;

const std::string link_local("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x07", 16);
const std::string nobody(16, '\0');
const std::string all_nodes("\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
const std::string solicited_node("\xff\x02\0\0\0\0\0\0\0\0\0\x01\xff\0\0\x01", 16);
const std::string one_mac("\x02\0\0\0\0\x07", 6);

std::string option(char kind, const std::string& value) {
  return kind + std::string(1, static_cast<char>((value.size() + 2) / 8)) + value;
}
const std::string nonce = option(14, "abcdef");

struct Message {
  std::string from{other_ipv6};
  std::string to{our_ipv6};
  unsigned hop_limit = 255;
  std::string bytes{};  // from the type on; the checksum is made
};

Message solicitation(const std::string& options = option(1, one_mac)) {
  return {.bytes = std::string("\x87\0\0\0\0\0\0\0", 8) + std::string(our_ipv6) + options};
}
Message advertisement(const std::string& target, char flags, const std::string& options) {
  std::string head("\x88\0\0\0\0\0\0\0", 8);
  head[4] = flags;
  return {.bytes = head + target + options};
}
Message router(const std::string& options) {
  return {.from = link_local,
          .to = all_nodes,
          .bytes = std::string("\x86\0\0\0\x40\0\x07\x08\0\0\0\0\0\0\0\0", 16) + options};
}
std::string prefix(const std::string& address, unsigned bits = 64) {
  std::string value(30, '\0');
  value[0] = static_cast<char>(bits);
  value[1] = '\xc0';
  net::frames::put_long(value, 2, 86'400);
  net::frames::put_long(value, 6, 14'400);
  value.replace(14, 16, address);
  return option(3, value);
}

std::string frame_of(Message message) {
  net::frames::put_word(message.bytes, 2, 0);
  const net::frames::Ipv6 head{message.from, message.to, 58, message.hop_limit};
  const unsigned sum = net::frames::pseudo_sum(head, message.bytes.size());
  net::frames::put_word(message.bytes, 2, ~net::frames::sum_of(message.bytes, sum) & 0xffffU);
  return net::frames::ipv6(head, message.bytes);
}

class Neighbours : public ::testing::Test {
 protected:
  explicit Neighbours(net::lwip::Ipv6Mode mode = net::lwip::Ipv6Mode::fixed)
      : world_(1, 1500, options(mode)) {}
  static net::lwip::Options options(net::lwip::Ipv6Mode mode) {
    net::lwip::Options chosen = net::mirror_options();
    chosen.ipv6_mode = mode;
    return chosen;
  }
  void put(const Message& message) {
    peer_.others.clear();
    world_.device().arrive(frame_of(message));
    peer_.turn(20ms);
  }
  // What the stack says of an ICMPv6 type, from the type on.
  [[nodiscard]] std::vector<std::string> said(char type) const {
    std::vector<std::string> found;
    for (const std::string& each : peer_.others) {
      if (each.size() > 54 && each[20] == 58 && each[54] == type) found.push_back(each.substr(54));
    }
    return found;
  }
  [[nodiscard]] std::size_t answers_to(const Message& message) {
    put(message);
    return said('\x88').size();
  }

  LwipWorld world_;
  net::Peer peer_{world_, true};
};

TEST_F(Neighbours, SolicitationsThatAreAnswered) {
  const std::string mac = option(1, one_mac);
  std::vector<std::pair<const char*, Message>> good{
      {"as it should be", solicitation()},
      {"to one, without an option", solicitation("")},
      {"with an option that lwIP would take for the MAC", solicitation(nonce + mac)},
      {"with that only", solicitation(nonce)},
  };
  for (const std::size_t i : {0U, 1U, 2U}) {
    good.emplace_back("to the group", good[i].second);
    good.back().second.to = solicited_node;
  }
  for (auto& [name, message] : good) {
    ASSERT_EQ(answers_to(message), 1U) << name;
    const std::string answer = said('\x88').front();
    EXPECT_EQ(answer[4], '\x60') << name << ": solicited, override";
    EXPECT_EQ(answer.substr(8, 16), our_ipv6) << name;
    EXPECT_EQ(answer.substr(24), option(2, std::string(net::frames::our_mac))) << name;
    EXPECT_EQ(net::frames::sum_of(
                  answer, net::frames::pseudo_sum({our_ipv6, other_ipv6, 58}, answer.size())),
              0xffffU)
        << name;
  }
  Message probe = solicitation("");
  probe.from = nobody;
  probe.to = solicited_node;
  EXPECT_EQ(answers_to(probe), 1U) << "a probe for duplicates";
}

TEST_F(Neighbours, SolicitationsThatAreNot) {
  Message probe = solicitation("");
  probe.from = nobody;
  probe.to = solicited_node;
  auto changed = [](Message message, auto&& change) {
    change(message);
    return message;
  };
  const std::pair<const char*, Message> bad[] = {
      {"from afar", changed(solicitation(), [](Message& m) { m.hop_limit = 254; })},
      {"of another code", changed(solicitation(), [](Message& m) { m.bytes[1] = 1; })},
      {"for a group", changed(solicitation(), [](Message& m) { m.bytes[8] = '\xff'; })},
      {"cut short", changed(solicitation(""), [](Message& m) { m.bytes.resize(23); })},
      {"an option without length", solicitation(std::string("\1\0\2\0\0\0\0\7", 8))},
      {"an option that is cut", solicitation(std::string("\1\2\2\0\0\0\0\7", 8))},
      {"one byte of an option", solicitation("\1")},
      {"an option without length behind", solicitation(option(1, one_mac) + std::string(8, '\0'))},
      {"from nobody, with a MAC",
       changed(probe, [](Message& m) { m.bytes += option(1, one_mac); })},
      {"from nobody, to one", changed(probe, [](Message& m) { m.to = our_ipv6; })},
      {"from nobody, to all", changed(probe, [](Message& m) { m.to = all_nodes; })},
      {"for another", changed(solicitation(), [](Message& m) { m.bytes[23] = 9; })},
  };
  for (const auto& [name, message] : bad) EXPECT_EQ(answers_to(message), 0U) << name;
  EXPECT_EQ(answers_to(solicitation()), 1U);
}

// A neighbour that is known, and messages that claim that it has another MAC.
TEST_F(Neighbours, OnlyAValidAdvertisementChangesAMac) {
  const std::string ours(our_ipv6);
  const std::string neighbour(other_ipv6);
  auto mac_that_is_used = [&] {
    std::string echo("\x80\0\0\0\0\x01\0\x01", 8);
    put({.bytes = echo});
    for (const std::string& each : peer_.others) {
      if (each.size() > 54 && each[54] == '\x81') return each.substr(0, 6);
    }
    return std::string("none");
  };
  const std::string old(net::frames::other_mac);
  peer_.turn(1s);
  ASSERT_EQ(mac_that_is_used(), old);
  const std::string claim = option(2, one_mac);
  Message to_all = advertisement(neighbour, '\x20', claim);
  to_all.to = all_nodes;
  std::vector<Message> bad(5, to_all);
  bad[0].bytes[4] = '\x60';  // solicited, to all
  bad[1].hop_limit = 64;
  bad[2].bytes[1] = 1;
  bad[3].bytes += std::string(8, '\0');
  bad[4].bytes.replace(24, 8, nonce);  // says nothing of a MAC
  for (const Message& message : bad) {
    put(message);
    EXPECT_EQ(mac_that_is_used(), old);
  }
  to_all.bytes = advertisement(neighbour, '\x20', nonce + claim).bytes;
  put(to_all);
  EXPECT_EQ(mac_that_is_used(), one_mac);
}

// RFC 4861 section 7.2.5: what each kind of advertisement, to us alone, does to a MAC that
// is known.
TEST_F(Neighbours, AnAdvertisementThatIsNoAnswerConfirmsNothing) {
  const std::string neighbour(other_ipv6);
  const std::string old(net::frames::other_mac);
  auto echo = [&] {
    put({.bytes = std::string("\x80\0\0\0\0\x01\0\x01", 8)});
    for (const std::string& each : peer_.others) {
      if (each.size() > 54 && each[54] == '\x81') return each.substr(0, 6);
    }
    return std::string("none");
  };
  // A neighbour that is no longer sure to be there is asked within some seconds of a packet to it.
  auto is_doubted = [&] {
    peer_.others.clear();
    std::size_t asked = 0;
    for (int i = 0; i < 10; ++i) {
      world_.device().arrive(frame_of({.bytes = std::string("\x80\0\0\0\0\x01\0\x01", 8)}));
      peer_.turn(1s);
      asked += said('\x87').size();
      peer_.others.clear();
    }
    return asked > 0;
  };
  auto confirm = [&] { put(advertisement(neighbour, '\x60', option(2, old))); };
  peer_.turn(1s);
  ASSERT_EQ(echo(), old);
  confirm();
  EXPECT_FALSE(is_doubted());

  put(advertisement(neighbour, '\x40', option(2, one_mac)));  // an answer that must not override
  EXPECT_EQ(echo(), old);
  EXPECT_TRUE(is_doubted());

  confirm();
  put(advertisement(neighbour, '\x20', option(2, one_mac)));  // no answer, but overrides
  EXPECT_EQ(echo(), one_mac);
  EXPECT_TRUE(is_doubted());
  confirm();
  EXPECT_EQ(echo(), old);
  EXPECT_FALSE(is_doubted());
}

// RFC 2710 section 3, RFC 3590: of listeners, too, only who is on the link may ask.
TEST_F(Neighbours, OnlyTheLinkAsksForListeners) {
  peer_.turn(20s);  // the reports at the start
  const Message query{.from = link_local,
                      .to = all_nodes,
                      .hop_limit = 1,
                      .bytes = std::string("\x82\0\0\0\0\x0a\0\0", 8) + nobody};
  auto reports_after = [&](const Message& message) {
    put(message);
    peer_.turn(1s);
    return std::ranges::count_if(peer_.others, [](const std::string& each) {
      return each.size() > 62 && each[20] == 0 && each[62] == '\x83';  // behind a router alert
    });
  };
  Message bad = query;
  bad.hop_limit = 2;
  EXPECT_EQ(reports_after(bad), 0);
  bad = query;
  bad.from = std::string(other_ipv6);
  EXPECT_EQ(reports_after(bad), 0);
  bad = query;
  bad.bytes.resize(23);
  EXPECT_EQ(reports_after(bad), 0);
  EXPECT_GT(reports_after(query), 0);
}

TEST_F(Neighbours, NobodyTakesOurAddress) {
  peer_.turn(5s);
  Message claim = advertisement(std::string(our_ipv6), '\x20', option(2, one_mac));
  put(claim);
  claim.to = all_nodes;
  put(claim);
  peer_.turn(1s);
  EXPECT_EQ(answers_to(solicitation()), 1U);
}

class Autoconfigured : public Neighbours {
 protected:
  Autoconfigured() : Neighbours(net::lwip::Ipv6Mode::automatic) {}
  [[nodiscard]] bool has(const std::string& text) const {
    return world_.log_text().find(text) != std::string::npos;
  }
};
TEST_F(Autoconfigured, OnlyPrefixesThatCanBe) {
  const std::string good("\x20\x01\x0d\xb8\0\0\0\x05\0\0\0\0\0\0\0\0", 16);
  put(router(prefix(std::string("\xff\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16))));
  put(router(prefix(nobody)));
  put(router(prefix(std::string("\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0", 16))));
  put(router(prefix(good, 48)));
  for (int i = 0; i < 5; ++i) {
    Message bad = router(prefix(good));
    if (i == 0) bad.hop_limit = 254;
    if (i == 1) bad.bytes[1] = 1;
    if (i == 2) bad.from = std::string(other_ipv6);
    if (i == 3) bad.bytes += std::string(8, '\0');
    if (i == 4) bad.bytes.resize(bad.bytes.size() - 1);
    put(bad);
  }
  peer_.turn(5s);
  EXPECT_FALSE(has("2001:db8")) << world_.log_text();
  EXPECT_FALSE(has("ff05")) << world_.log_text();
  put(router(nonce + prefix(good) + prefix(std::string("\xff\x05", 2) + std::string(14, '\0'))));
  peer_.turn(5s);
  EXPECT_TRUE(has("2001:db8:0:5:")) << world_.log_text();
  EXPECT_FALSE(has("ff05")) << world_.log_text();
}

TEST(NeighbourRules, Redirects) {
  using net::lwip::is_valid;
  using net::lwip::NeighbourMessage;
  auto valid = [](const std::string& target, const std::string& destination,
                  NeighbourMessage::From from, const std::string& options = {}) {
    const std::string bytes = std::string("\x89\0\0\0\0\0\0\0", 8) + target + destination + options;
    return is_valid({.from = from, .hop_limit = 255, .bytes = bytes_of(bytes)});
  };
  using From = NeighbourMessage::From;
  const std::string far("\x20\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x07", 16);
  EXPECT_TRUE(valid(link_local, far, From::link_local));
  EXPECT_TRUE(valid(far, far, From::link_local, option(2, one_mac)));
  EXPECT_FALSE(valid(link_local, far, From::other));
  EXPECT_FALSE(valid(std::string(other_ipv6), far, From::link_local));
  EXPECT_FALSE(valid(link_local, all_nodes, From::link_local));
  EXPECT_FALSE(valid(link_local, far, From::link_local, std::string(8, '\0')));
}

// RFC 8106.
TEST_F(Neighbours, RoutersNameDnsServersForATime) {
  const auto known = [&] {
    const net::NameServers::List list = world_.stack().name_servers().list(world_.loop().now());
    std::string text;
    for (const net::Endpoint& each : list.all()) text += net::address_text(each) + " ";
    return text;
  };
  const auto servers = [](std::uint32_t lifetime_s, const std::string& addresses) {
    std::string value(6, '\0');
    net::frames::put_long(value, 2, lifetime_s);
    return option(25, value + addresses);
  };
  const std::string one = std::string(other_ipv6);
  put(router(servers(60, one + link_local)));
  EXPECT_EQ(known(), "fd00::2 fe80::7 ");
  peer_.turn(61s);
  EXPECT_EQ(known(), "") << "their time is over";
  put(router(servers(0xffffffff, one)));
  peer_.turn(48h);
  EXPECT_EQ(known(), "fd00::2 ");
  put(router(servers(0, one)));
  EXPECT_EQ(known(), "") << "withdrawn";
  // What cannot be one.
  const std::string loopback = std::string(15, '\0') + '\x01';
  put(router(servers(60, nobody + loopback + all_nodes)));
  put(router(servers(60, "")));
  EXPECT_EQ(known(), "");
  // Not from a router of this link.
  Message foreign = router(servers(60, one));
  foreign.from = other_ipv6;
  put(foreign);
  Message far = router(servers(60, one));
  far.hop_limit = 254;
  put(far);
  EXPECT_EQ(known(), "");
  // Many.
  std::string many;
  for (char i = 1; i < 20; ++i) many += one.substr(0, 15) + i;
  put(router(servers(60, many)));
  EXPECT_EQ(known(), "fd00::1 fd00::2 fd00::3 fd00::4 ");
}

}  // namespace
