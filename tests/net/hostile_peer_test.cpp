// SPDX-License-Identifier: ISC
// tests/net/hostile_peer_test.cpp: what a peer may say to make lwIP stop the machine, or make it
// work for nothing.
//
// Method:  a Peer sends segments by hand to a server, in simulated time, over both protocols. lwIP
//          checks its own lists as it goes and panics when one is wrong: that none is, is what most
//          of these tests show.

#include <gtest/gtest.h>

#include <string>

#include "tests/net/peer.hpp"

namespace {

using net::ack;
using net::LwipWorld;
using net::psh;
using net::syn;

std::string mss_option(unsigned size) {
  return std::string("\x02\x04", 2) + static_cast<char>(size >> 8U) + static_cast<char>(size);
}

class HostilePeer : public ::testing::TestWithParam<bool> {
 protected:
  LwipWorld world_;
  net::Answering server_{world_, pattern(300'000)};
  net::Peer peer_{world_, GetParam()};

  [[nodiscard]] std::size_t largest_segment() const { return GetParam() ? 1440 : 1460; }
  // Takes all of the answer, whatever was sent of it before.
  void take_all() {
    for (int i = 0; i < 3000 && peer_.received.size() < 300'000; ++i) {
      peer_.acknowledge();
      if (peer_.sent.empty()) peer_.turn(500ms);
    }
    EXPECT_TRUE(peer_.received == pattern(300'000)) << peer_.received.size();
  }
};

// RFC 9293 section 3.1: the option is of SYNs only.
TEST_P(HostilePeer, AnnouncesLongerSegmentsLater) {
  peer_.open(80, mss_option(1000));
  peer_.say(ack | psh, "?");
  peer_.sent.clear();
  peer_.send(ack, {}, mss_option(8960));
  peer_.acknowledge();
  peer_.turn(10s);  // sent again and again
  EXPECT_EQ(peer_.longest(), 1000U);
  take_all();
}
TEST_P(HostilePeer, AnnouncesShorterSegmentsLater) {
  peer_.open(80, mss_option(1000));
  peer_.say(ack | psh, "?");
  for (unsigned size : {100U, 1U, 0U}) {
    peer_.send(ack, {}, mss_option(size));
    peer_.acknowledge();
  }
  EXPECT_EQ(peer_.longest(), 1000U);
  take_all();
}
TEST_P(HostilePeer, AnnouncesAnotherSizeInASecondSyn) {
  peer_.next.to_port = 80;
  peer_.send(syn, {}, mss_option(1000));
  peer_.say(syn, {}, mss_option(8960) + std::string("\x03\x03\x0e\x01", 4));
  ASSERT_GE(peer_.sent.size(), 1U);
  peer_.next.acknowledged = peer_.last().sequence + 1;
  peer_.send(ack);
  peer_.say(ack | psh, "?");
  EXPECT_EQ(peer_.longest(), 1000U);
  take_all();
}

// Linux's floor, and what is meant by those who announce nothing (RFC 9293 section 3.7.1).
TEST_P(HostilePeer, AnnouncesLittleOrNothing) {
  const std::size_t by_none = GetParam() ? 1220 : 536;
  const std::pair<std::string, std::size_t> table[] = {
      {"", by_none},
      {mss_option(0), by_none},
      {mss_option(1), 48},
      {mss_option(47), 48},
      {mss_option(48), 48},
      {mss_option(49), 49},
      {mss_option(65'535), largest_segment()},
      {std::string("\x02\x03\x01\x01", 4), by_none},
      {std::string("\x02\x08\x05\xb4", 4), by_none},
  };
  for (const auto& [options, expected] : table) {
    peer_.next.from_port += 1;
    peer_.open(80, options);
    peer_.sent.clear();
    peer_.say(ack | psh, "?");
    EXPECT_EQ(peer_.longest(), expected);
    peer_.send(net::rst);
  }
}

// lwIP made segments of half the largest window it had seen, with ones in the queue that were
// longer.
TEST_P(HostilePeer, OpensItsWindowLittleByLittle) {
  for (unsigned first : {0U, 1U, 3U}) {
    peer_.next.from_port += 1;
    peer_.next.window = first;
    peer_.received.clear();
    peer_.sent.clear();
    peer_.open(80);
    peer_.say(ack | psh, "?");
    for (unsigned window : {2U, 3U, 10U, 100U, 1000U, 1000U, 1000U, 1000U, 1000U, 3000U, 20'000U}) {
      peer_.next.window = window;
      peer_.acknowledge();
      peer_.turn(300ms);
    }
    peer_.next.window = 65'535;
    take_all();
  }
}

// All that lwIP probed the closed window with is acknowledged.
TEST_P(HostilePeer, AcknowledgesWhileItsWindowIsClosed) {
  net::Peer& peer = peer_;
  peer.open(80);
  peer.sent.clear();
  peer.say(ack | psh, "?");
  const std::size_t before = peer.sent.size();
  ASSERT_GT(before, 0U);
  // Nothing was got, and there is no window any more; then the timer sends again.
  peer.next.window = 0;
  peer.say(ack | psh, "?");
  peer.turn(5s);
  peer.acknowledge();
  peer.turn(30s);
  peer.next.window = 65'535;
  take_all();
}

TEST(HostilePeerOnce, TakesTheLastByteByAProbe) {
  for (const bool is_ipv6 : {false, true}) {
    for (const std::size_t bytes : {1U, 2U}) {
      LwipWorld world;
      net::Answering server(world, std::string(bytes, 'x'));
      net::Peer peer(world, is_ipv6);
      peer.next.window = 0;
      peer.open(80);
      peer.say(ack | psh, "?");
      for (int i = 0; i < 40; ++i) {
        peer.turn(1s);
        peer.acknowledge();
      }
      EXPECT_FALSE(peer.received.empty());
      // And a FIN, which is probed with too.
      server.flows.clear();
      for (int i = 0; i < 40; ++i) {
        peer.turn(1s);
        if (!peer.sent.empty() && (peer.last().flags & net::fin) != 0) {
          peer.next.acknowledged =
              peer.last().sequence + 1 + static_cast<std::uint32_t>(peer.last().payload.size());
        }
        peer.acknowledge();
      }
    }
  }
}

// A segment that begins in the window and ends beyond it, and then what is missing before it.
TEST_P(HostilePeer, SendsBeyondTheWindow) {
  peer_.open(80, mss_option(1460));
  // The server reads one byte and answers, as long as nobody takes its answer: the window closes.
  const std::string block(1000, 'z');
  for (int i = 0; i < 64; ++i) peer_.say(ack | psh, block);
  peer_.say(ack | psh, block.substr(0, 700));
  peer_.turn(300ms);  // it acknowledges late
  ASSERT_FALSE(peer_.sent.empty());
  const unsigned window = peer_.last().window;
  ASSERT_LT(window, 1300U);
  ASSERT_GT(window, 100U);
  peer_.next.sequence += 1;
  peer_.send(ack | psh, std::string(1400, 'y'));
  peer_.next.sequence -= 1;
  peer_.send(ack | psh, "x");
  peer_.turn(1s);
  take_all();
}

INSTANTIATE_TEST_SUITE_P(Both, HostilePeer, ::testing::Bool(), [](const auto& each) {
  return std::string(each.param ? "ipv6" : "ipv4");
});

}  // namespace
