// SPDX-License-Identifier: ISC
// tests/net/acceptance_test.cpp: segments and datagrams that are not to be taken, and what is said
// to them (RFC 9293 section 3.10.7, RFC 5961, RFC 1122, RFC 5722, RFC 7126).
//
// Method:  a Peer sends them by hand, in simulated time; a table for each state of a connection.
// More:    tests/hostile plays the same and more to an image and to Linux.

#include <gtest/gtest.h>

#include <string>

#include "net/lwip/datagrams.hpp"
#include "tests/net/peer.hpp"

namespace {

using net::ack;
using net::fin;
using net::LwipWorld;
using net::psh;
using net::rst;
using net::syn;

constexpr std::size_t answer_bytes = 5000;

class Acceptance : public ::testing::TestWithParam<bool> {
 protected:
  LwipWorld world_;
  net::Answering server_{world_, pattern(answer_bytes)};
  net::Peer peer_{world_, GetParam()};

  // A connection on which all that came has been acknowledged.
  void open_and_take() {
    peer_.next.from_port += 1;
    peer_.received.clear();
    peer_.open(80);
    peer_.say(ack | psh, "?");
    for (int i = 0; i < 20 && peer_.received.size() < answer_bytes; ++i) peer_.acknowledge();
    ASSERT_EQ(peer_.received.size(), answer_bytes);
    peer_.turn(1s);
    peer_.sent.clear();
  }
  // Is the connection there, with the number that comes next as before?
  void expect_alive(const std::string& after) {
    peer_.sent.clear();
    peer_.turn(1s);
    peer_.send(ack | psh, "more");
    peer_.turn(300ms);
    ASSERT_FALSE(peer_.sent.empty()) << after;
    EXPECT_EQ(peer_.last().flags, ack) << after;
    EXPECT_EQ(peer_.last().acknowledged, peer_.next.sequence + 4) << after;
    peer_.next.sequence += 4;
    peer_.sent.clear();
  }
};

TEST_P(Acceptance, WhatAnEstablishedConnectionDoesNotTake) {
  struct {
    const char* name;
    unsigned flags;
    std::int64_t by;      // off the number that comes next
    std::int64_t ack_by;  // off what is to be acknowledged
    const char* payload;
    bool answered;
  } const table[] = {
      {"data without ack", psh, 0, 0, "X", false},
      {"fin without ack", fin, 0, 0, "", false},
      {"nothing at all", 0, 0, 0, "", false},
      {"data that acknowledges what was not sent", ack | psh, 0, 1, "X", true},
      {"an ack of what was not sent", ack, 0, 1'000'000, "", true},
      {"an ancient ack", ack, 0, -200'000'000, "", true},
      {"data with an ancient ack", ack | psh, 0, -1'000'000, "X", true},
      {"rst in the window", rst, 1, 0, "", true},
      {"rst at the end of the window", rst, 60'000, 0, "", true},
      {"rst beyond the window", rst, 70'000, 0, "", false},
      {"rst before the window", rst, -1, 0, "", false},
      {"syn in order", syn, 0, 0, "", true},
      {"syn in the window", syn, 1000, 0, "", true},
      {"syn and ack", syn | ack, 0, 0, "", true},
      {"syn and fin", syn | fin, 0, 0, "", true},
      {"data beyond the window", ack | psh, 70'000, 0, "X", true},
      {"fin beyond the window", ack | fin, 70'000, 0, "", true},
      {"a keep-alive", ack, -1, 0, "", true},
  };
  open_and_take();
  for (const auto& each : table) {
    const std::uint32_t sequence = peer_.next.sequence;
    const std::uint32_t acknowledged = peer_.next.acknowledged;
    peer_.next.sequence += static_cast<std::uint32_t>(each.by);
    peer_.next.acknowledged += static_cast<std::uint32_t>(each.ack_by);
    peer_.send(each.flags, each.payload);
    peer_.next.sequence = sequence;
    peer_.next.acknowledged = acknowledged;
    EXPECT_EQ(peer_.count(ack), each.answered ? 1U : 0U) << each.name;
    EXPECT_EQ(peer_.sent.size(), each.answered ? 1U : 0U) << each.name;
    expect_alive(each.name);
  }
  peer_.send(rst);
  peer_.send(ack | psh, "gone");
  ASSERT_EQ(peer_.sent.size(), 1U);
  EXPECT_NE(peer_.last().flags & rst, 0U) << "a reset of the number that comes next is taken";
}

TEST_P(Acceptance, ChallengesAreFew) {
  open_and_take();
  const base::Instant begin = world_.loop().now();
  for (int i = 0; i < 1000; ++i) peer_.send(syn);
  const auto halves = static_cast<std::size_t>((world_.loop().now() - begin) / 500ms);
  EXPECT_GE(peer_.sent.size(), halves);
  EXPECT_LE(peer_.sent.size(), halves + 1);
}

TEST_P(Acceptance, WhatAListenerDoesNotTake) {
  peer_.next.to_port = 80;
  for (const unsigned flags :
       {syn | fin, syn | fin | psh, 0U, psh, fin, rst, rst | ack, syn | rst}) {
    peer_.send(flags, "");
    EXPECT_TRUE(peer_.sent.empty()) << flags;
    peer_.sent.clear();
  }
}

// RFC 9293 MAY-2: at once, by a number above all that was sent before.
TEST_P(Acceptance, APortInTimeWaitMayBeUsedAgain) {
  for (const bool is_higher : {false, true}) {
    peer_.next.from_port += 1;
    peer_.received.clear();
    peer_.open(80);
    peer_.say(ack | psh, "?");
    while (peer_.received.size() < answer_bytes) peer_.acknowledge();
    server_.flows.back()->close();
    peer_.turn(10ms);
    ASSERT_FALSE(peer_.sent.empty());
    ASSERT_NE(peer_.last().flags & fin, 0U);
    peer_.next.acknowledged = peer_.last().sequence + 1;
    peer_.say(ack | fin);
    peer_.turn(1s);
    peer_.sent.clear();
    const std::uint32_t next = peer_.next.sequence;
    const std::uint32_t theirs = peer_.next.acknowledged;
    peer_.next.sequence = is_higher ? next + 1 : next - 100;
    if (is_higher) {
      net::frames::Tcp broken = peer_.next;
      broken.flags = syn;
      std::string frame = net::frames::tcp(broken);
      frame[frame.size() - 4] ^= 1;  // the checksum
      world_.device().arrive(frame);
      peer_.turn(10ms);
      EXPECT_TRUE(peer_.sent.empty());
    }
    peer_.send(syn);
    ASSERT_EQ(peer_.sent.size(), 1U);
    EXPECT_EQ(peer_.last().flags, is_higher ? syn | ack : ack);
    if (!is_higher) continue;
    EXPECT_GT(static_cast<std::int32_t>(peer_.last().sequence - theirs), 0);
    peer_.next.sequence += 1;
    peer_.next.acknowledged = peer_.last().sequence + 1;
    peer_.received.clear();
    peer_.say(ack | psh, "?");
    while (peer_.received.size() < answer_bytes && !peer_.sent.empty()) peer_.acknowledge();
    EXPECT_TRUE(peer_.received == pattern(answer_bytes));
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Acceptance, ::testing::Bool(), [](const auto& each) {
  return std::string(each.param ? "ipv6" : "ipv4");
});

// ---- Below TCP

class BelowTcp : public ::testing::Test {
 protected:
  LwipWorld world_;
  net::Answering server_{world_, pattern(answer_bytes)};
  net::Peer peer_{world_};

  std::size_t answers_to(const std::string& frame) {
    peer_.sent.clear();
    peer_.others.clear();
    world_.device().arrive(frame);
    peer_.turn(10ms);
    return peer_.sent.size() + peer_.others.size();
  }
  static std::string syn_from(std::uint32_t address) {
    return net::frames::tcp({.from = address, .sequence = 77});
  }
};

TEST_F(BelowTcp, ASynFromWhereNoHostIs) {
  EXPECT_EQ(answers_to(syn_from(0x0a000002)), 1U);
  for (const std::uint32_t address :
       {0U, 1U, 0x7f000001U, 0xffffffffU, 0x0a0000ffU, 0xe0000001U, net::frames::our_ipv4}) {
    EXPECT_EQ(answers_to(syn_from(address)), 0U) << std::hex << address;
  }
}

TEST_F(BelowTcp, WhatComesInAFrameToAllIsNotAnswered) {
  std::string frame = syn_from(0x0a000002);
  frame.replace(0, 6, 6, '\xff');
  EXPECT_EQ(answers_to(frame), 0U);
  const std::string datagram("\0\x09\0\x09\0\x08\0\0", 8);
  frame = net::frames::ipv4({.protocol = 17}, datagram);
  EXPECT_EQ(answers_to(frame), 1U) << "port unreachable";
  frame.replace(0, 6, 6, '\xff');
  EXPECT_EQ(answers_to(frame), 0U);
  EXPECT_EQ(answers_to(net::frames::ipv4({.from = 0, .protocol = 17}, datagram)), 0U);
}

// RFC 4443 section 2.4 (f), RFC 1812 section 4.3.2.8.
TEST_F(BelowTcp, IcmpErrorsAreFew) {
  const std::string datagram("\0\x09\0\x09\0\x08\0\0", 8);
  const std::string to_no_port = net::frames::ipv4({.protocol = 17}, datagram);
  const std::string of_no_protocol = net::frames::ipv4({.protocol = 253}, datagram);
  peer_.sent.clear();
  peer_.others.clear();
  for (int i = 0; i < 500; ++i) {
    world_.device().arrive(i % 2 == 0 ? to_no_port : of_no_protocol);
    world_.loop().turn(world_.loop().now());  // no time passes
  }
  peer_.turn(10ms);
  EXPECT_GE(peer_.others.size(), 50U);
  EXPECT_LE(peer_.others.size(), 70U);  // 50, and one for each ms since
  peer_.turn(100ms);
  EXPECT_EQ(answers_to(to_no_port), 1U);
}

TEST_F(BelowTcp, ASynInFragmentsOfEightBytes) {
  const std::string whole = syn_from(0x0a000002).substr(34);
  std::size_t answers = 0;
  for (std::size_t at = 0; at < whole.size(); at += 8) {
    const bool is_last = at + 8 >= whole.size();
    answers += answers_to(
        net::frames::ipv4({.fragment = static_cast<unsigned>(at / 8) | (is_last ? 0U : 0x2000U)},
                          whole.substr(at, 8)));
  }
  EXPECT_EQ(answers, 1U);
}

base::Bytes bytes(const std::string& text) { return bytes_of(text); }

TEST(Datagrams, OptionsOfIpv4) {
  auto good = [](const std::string& options) {
    std::string packet(20, '\0');
    packet[0] = static_cast<char>(0x45 + options.size() / 4);
    return net::lwip::are_ipv4_options_good(bytes(packet + options));
  };
  EXPECT_TRUE(good(""));
  EXPECT_TRUE(good(std::string("\1\1\1\0", 4)));
  EXPECT_TRUE(good(std::string("\0\x83\x07\x04", 4))) << "after the end";
  EXPECT_TRUE(good(std::string("\x07\x07\x04\0\0\0\0\0", 8))) << "record route";
  EXPECT_FALSE(good(std::string("\x83\x07\x04\x0a\0\0\x07\0", 8)));
  EXPECT_FALSE(good(std::string("\x89\x07\x04\x0a\0\0\x07\0", 8)));
  EXPECT_FALSE(good(std::string("\x01\x83\x03\x04", 4)));
  EXPECT_FALSE(good(std::string("\x07\0\0\0", 4)));
  EXPECT_FALSE(good(std::string("\x07\1\0\0", 4)));
  EXPECT_FALSE(good(std::string("\x07\x28\x04\0", 4)));
  EXPECT_FALSE(good(std::string("\1\1\1\x07", 4)));
}

TEST(Datagrams, OptionsOfIpv6) {
  auto good = [](unsigned kind, const std::string& headers) {
    std::string packet(40, '\0');
    packet[6] = static_cast<char>(kind);
    return net::lwip::are_ipv6_options_good(bytes(packet + headers));
  };
  EXPECT_TRUE(good(58, std::string(8, '\x7f')));
  for (const unsigned kind : {0U, 60U}) {
    EXPECT_TRUE(good(kind, std::string("\x3a\0\1\4\0\0\0\0", 8)));
    EXPECT_TRUE(good(kind, std::string("\x3a\0\0\0\0\0\0\0", 8)));
    EXPECT_FALSE(good(kind, std::string("\x3a\0\1\5\0\0\0\0", 8)));
    EXPECT_FALSE(good(kind, std::string("\x3a\0\0\0\0\0\0\1", 8)));
    EXPECT_FALSE(good(kind, std::string("\x3c\0\1\4\0\0\0\0\x3a\0\1\x63\0\0\0\0", 16)));
    EXPECT_FALSE(good(43, std::string("\x3c\0\0\0\0\0\0\0\x3a\0\1\x63\0\0\0\0", 16)));
  }
  EXPECT_TRUE(good(43, std::string("\x3a\0\1\x63\0\0\0\0", 8))) << "no options";
  EXPECT_TRUE(good(44, std::string("\x3a\0\1\x63\0\0\0\0", 8)));
}

TEST(Datagrams, FragmentsThatOverlap) {
  net::lwip::Fragments fragments;
  const base::Instant now{};
  auto admit = [&](std::uint32_t id, std::size_t begin, std::size_t end, base::Instant at,
                   unsigned following = 58) {
    return fragments.admit({.id = id, .begin = begin, .end = end, .following = following}, at);
  };
  EXPECT_TRUE(admit(1, 0, 64, now));
  EXPECT_TRUE(admit(1, 0, 64, now)) << "the same again";
  EXPECT_TRUE(admit(2, 32, 96, now)) << "another datagram";
  EXPECT_FALSE(admit(1, 32, 96, now));
  EXPECT_FALSE(admit(1, 96, 128, now)) << "all that follows";
  EXPECT_TRUE(admit(1, 96, 128, now + net::lwip::Fragments::kept)) << "later it is another one";
  EXPECT_FALSE(admit(3, 0, 16, now, 6)) << "a part of TCP's header";
  EXPECT_FALSE(admit(3, 16, 64, now, 6));
  EXPECT_TRUE(admit(4, 0, 24, now, 6));
}

}  // namespace
