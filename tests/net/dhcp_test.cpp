// SPDX-License-Identifier: ISC
// tests/net/dhcp_test.cpp: the DHCP client: an address that another host has is given back (RFC
// 2131 section 3.1.5) and another asked for; leases are renewed in time; what makes no sense is not
// believed, and a server that refuses what it has offered is asked more and more rarely.
//
// Method: a DHCP server made of frames answers the stack, in simulated time; the other host is an
// ARP frame. What the stack sends is read as bytes.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/lwip/leases.hpp"
#include "tests/net/frames.hpp"
#include "tests/net/lwip_world.hpp"

namespace {

using namespace std::chrono_literals;
using net::LwipWorld;

constexpr int discover = 1;
constexpr int offer = 2;
constexpr int request = 3;
constexpr int decline = 4;
constexpr int acknowledge = 5;
constexpr int refuse = 6;
constexpr std::size_t dhcp_at = 42;
constexpr std::size_t options_at = dhcp_at + 240;

std::string word_text(std::uint32_t word) {
  std::string text(4, '\0');
  net::frames::put_long(text, 0, word);
  return text;
}

// The value of an option; empty: it is not there.
std::string option(const std::string& frame, int wanted) {
  for (std::size_t at = options_at; at + 1 < frame.size() && frame[at] != '\xff';) {
    const auto size = static_cast<unsigned char>(frame[at + 1]);
    if (frame[at] == static_cast<char>(wanted)) return frame.substr(at + 2, size);
    at += 2 + std::size_t{size};
  }
  return {};
}

class Dhcp : public ::testing::Test {
 protected:
  static constexpr std::uint32_t server = 0x0a0000fe;
  // Without a mirror, in which the stack would see its own announcements as another host's.
  Dhcp() {
    world_.device().carry = [this](const std::string& frame) { see(frame); };
  }
  static net::lwip::Options asking() {
    net::lwip::Options options;
    options.ipv6_mode = net::lwip::Ipv6Mode::off;
    return options;
  }
  void turn(base::Duration time) {
    const base::Instant end = world_.loop().now() + time;
    while (world_.loop().now() < end) world_.loop().turn(end);
  }
  // "The server has the MAC of the frames that it sends."
  void answer_arp(const std::string& question) {
    std::string answer = net::frames::arp_request(server, net::frames::other_mac);
    answer[21] = 2;
    answer.replace(0, 6, net::frames::our_mac);
    answer.replace(32, 10, question.substr(22, 10));
    world_.device().arrive(answer);
  }
  void see(const std::string& frame) {
    const bool is_arp = frame.size() >= 42 && frame[12] == 8 && frame[13] == 6 && frame[21] == 1;
    if (is_arp && frame.substr(38, 4) == word_text(server)) answer_arp(frame);
    if (frame.size() < options_at || frame[23] != 17) return;
    const std::string type = option(frame, 53);
    ASSERT_EQ(type.size(), 1U);
    seen_.emplace_back(type[0], frame);
    const bool is_discover = type[0] == discover;
    if (is_discover) offered_ = always_offered_.value_or(offered_ + 1);
    if (is_discover || type[0] == request) answer(frame, is_discover ? offer : to_request_);
  }
  void answer(const std::string& question, int type) {
    std::string message = question.substr(dhcp_at, 240);
    message[0] = 2;
    message.replace(16, 4, word_text(offered_));
    message += std::string("\x35\x01", 2) + static_cast<char>(type);
    message += "\x36\x04" + word_text(server);
    message += "\x33\x04" + word_text(lease_s_);
    message += "\x01\x04" + word_text(mask_);
    message += more_options_;
    net::frames::put_long(message, 236, cookie_);
    message += '\xff';
    std::string datagram(8, '\0');
    net::frames::put_word(datagram, 0, 67);
    net::frames::put_word(datagram, 2, 68);
    net::frames::put_word(datagram, 4, static_cast<unsigned>(8 + message.size()));
    std::string frame = net::frames::ipv4({.from = server, .protocol = 17}, datagram + message);
    net::frames::put_long(frame, 30, 0xffffffff);
    net::frames::put_word(frame, 24, 0);
    const unsigned sum = net::frames::sum_of(std::string_view(frame).substr(14, 20));
    net::frames::put_word(frame, 24, ~sum & 0xffffU);
    world_.device().arrive(frame);
  }
  // Says that it has the address.
  void another_host(std::uint32_t address) {
    world_.device().arrive(net::frames::arp_request(address, "\x02\x09\x09\x09\x09\x09", address));
  }
  [[nodiscard]] std::size_t count(int type) const {
    std::size_t found = 0;
    for (const auto& each : seen_) found += each.first == type ? 1 : 0;
    return found;
  }
  [[nodiscard]] bool says(std::string_view text) const {
    return world_.log_text().find(text) != std::string::npos;
  }

  std::uint32_t offered_ = 0x0a000064;  // the last one: 10.0.0.101 is the first
  std::uint32_t lease_s_ = 3600;
  std::uint32_t mask_ = 0xffffff00;
  std::uint32_t cookie_ = 0x63825363;
  std::string more_options_;
  std::optional<std::uint32_t> always_offered_;
  int to_request_ = acknowledge;
  std::vector<std::pair<int, std::string>> seen_;
  LwipWorld world_{1, 1500, asking(), {}, [this](const std::string& frame) { see(frame); }};
};

TEST_F(Dhcp, AnAddressInUseIsDeclinedAndAnotherAskedFor) {
  turn(1s);
  ASSERT_TRUE(says("network: 10.0.0.101/24 (DHCP)")) << world_.log_text();
  another_host(offered_);
  turn(1s);
  ASSERT_EQ(count(decline), 1U);
  const std::string& sent = seen_.back().second;
  EXPECT_EQ(option(sent, 50), word_text(0x0a000065));
  EXPECT_EQ(option(sent, 54), word_text(server));
  EXPECT_EQ(sent.substr(26, 8), word_text(0) + word_text(0xffffffff)) << "from no address, to all";
  EXPECT_EQ(sent.substr(dhcp_at + 12, 4), word_text(0)) << "ciaddr";
  EXPECT_TRUE(
      says("another host, with the MAC 02:09:09:09:09:09, has the address 10.0.0.101 that "
           "the DHCP server gave to this one: it is declined, and another asked for in 10 s"))
      << world_.log_text();
  EXPECT_FALSE(world_.stack().has_ipv4());
  turn(8s);
  EXPECT_EQ(count(discover), 1U) << "not before ten seconds are over";
  turn(4s);
  EXPECT_EQ(count(discover), 2U);
  EXPECT_TRUE(says("network: 10.0.0.102/24 (DHCP)")) << world_.log_text();
  EXPECT_FALSE(says("no longer ours"));
  turn(1h);
  EXPECT_EQ(count(decline), 1U);
  EXPECT_TRUE(world_.stack().has_ipv4());
}

TEST_F(Dhcp, EveryAddressInUseIsDeclined) {
  turn(1s);
  for (std::size_t i = 1; i <= 5; ++i) {
    another_host(offered_);
    turn(12s);
    EXPECT_EQ(count(decline), i);
    EXPECT_TRUE(world_.stack().has_ipv4());
  }
}

// Later the address is defended once, and given up when that does not help.
TEST_F(Dhcp, AnAddressThatWasOursForLongIsDefendedFirst) {
  turn(60s);
  another_host(offered_);
  turn(1s);
  EXPECT_EQ(count(decline), 0U);
  EXPECT_TRUE(says("connections will fail"));
  turn(30s);
  another_host(offered_);
  turn(1s);
  EXPECT_EQ(count(decline), 0U);
  another_host(offered_);
  turn(1s);
  EXPECT_EQ(count(decline), 1U);
}

// Each at one half of its time, by asking the server that gave it.
TEST_F(Dhcp, LeasesAreRenewedInTime) {
  std::uint32_t before = lease_s_;
  for (const std::uint32_t lease : {2'592'000U, 86'400U, 600U, 90U, 61U, 60U, 30U, 8U}) {
    lease_s_ = lease;
    turn(base::Duration(std::chrono::seconds(before)));  // until it holds
    before = lease;
    seen_.clear();
    turn(base::Duration(std::chrono::seconds(lease) * 3));
    EXPECT_GE(count(request), 5U) << lease;
    EXPECT_LE(count(request), 7U) << lease;
    EXPECT_EQ(count(discover), 0U) << lease << ": it never ended";
    EXPECT_EQ(offered_, 0x0a000065U);
  }
  EXPECT_FALSE(says("no longer ours"));
}

TEST_F(Dhcp, AServerThatRefusesWhatItOffersIsAskedRarely) {
  to_request_ = refuse;
  turn(10s);
  const std::size_t at_first = seen_.size();
  EXPECT_GE(count(request), 3U);
  EXPECT_LE(at_first, 15U);
  turn(1h);
  EXPECT_LE(seen_.size(), at_first + 60U);
  EXPECT_GE(count(request), 10U) << "but it is still asked";
  EXPECT_FALSE(world_.stack().has_ipv4());
  to_request_ = acknowledge;
  turn(301s);
  EXPECT_TRUE(world_.stack().has_ipv4());
  // And then a refusal counts as the first again.
  to_request_ = refuse;
  turn(45min);
  EXPECT_FALSE(world_.stack().has_ipv4());
  to_request_ = acknowledge;
  turn(301s);
  EXPECT_TRUE(world_.stack().has_ipv4());
}

// What a server says that cannot be.
TEST_F(Dhcp, WhatMakesNoSenseIsNotBelieved) {
  auto expect_nothing = [&](const std::string& what) {
    seen_.clear();
    turn(3min);
    EXPECT_GE(count(discover), 2U) << what;
    EXPECT_EQ(count(request), 0U) << what;
    EXPECT_FALSE(world_.stack().has_ipv4()) << what;
  };
  // The first offer has been made already.
  to_request_ = refuse;
  turn(1s);
  to_request_ = acknowledge;
  cookie_ = 0x63825364;
  expect_nothing("another cookie");
  cookie_ = 0x63825363;
  lease_s_ = 0;
  expect_nothing("a lease of no time");
  lease_s_ = 3600;
  for (const std::uint32_t mask : {0x00ffffffU, 0xff00ff00U, 0U}) {
    mask_ = mask;
    expect_nothing("a mask that is none");
  }
  mask_ = 0xffffff00;
  for (const std::uint32_t router : {0U, 0x7f000001U, 0xe0000001U, 0xffffffffU}) {
    more_options_ = "\x03\x04" + word_text(router);
    expect_nothing("a gateway that is none");
  }
  more_options_.clear();
  for (const std::uint32_t address :
       {0U, 5U, 0x7f000001U, 0xe0000001U, 0xf0000001U, 0xffffffffU, 0x0a0000ffU, 0x0a000000U}) {
    always_offered_ = address;
    expect_nothing(word_text(address));
  }
  always_offered_.reset();
  turn(2min);
  EXPECT_TRUE(world_.stack().has_ipv4());
}

// It is asked for DNS servers, and those that a lease brings are known; not those of an offer.
TEST_F(Dhcp, ALeaseBringsDnsServers) {
  const auto servers = [&] {
    const net::NameServers::List known = world_.stack().name_servers().list(world_.loop().now());
    std::string text;
    for (const net::Endpoint& each : known.all()) {
      text += net::address_text(each) + ":" + std::to_string(each.port) + " ";
    }
    return text;
  };
  const auto option_6 = [](const std::string& addresses) {
    return "\x06" + std::string(1, static_cast<char>(addresses.size())) + addresses;
  };
  const std::string first = word_text(0x0a000035);
  const std::string second = word_text(0x08080808);
  to_request_ = refuse;
  more_options_ = option_6(first);
  turn(1s);
  ASSERT_FALSE(seen_.empty());
  EXPECT_NE(option(seen_.front().second, 55).find('\x06'), std::string::npos);
  EXPECT_EQ(servers(), "") << "an offer is no lease";
  to_request_ = acknowledge;
  turn(1min);
  ASSERT_TRUE(world_.stack().has_ipv4());
  EXPECT_EQ(servers(), "10.0.0.53:53 ");
  // What cannot be a server is left out; at most four count.
  std::string many;
  for (const std::uint32_t bad : {0U, 0x7f000001U, 0xe0000001U, 0xffffffffU}) {
    more_options_ = option_6(word_text(bad) + second);
    turn(1h);
    EXPECT_EQ(servers(), "8.8.8.8:53 ") << bad;
  }
  for (std::uint32_t i = 1; i < 20; ++i) many += word_text(0x0a000000 + i);
  more_options_ = option_6(many);
  turn(1h);
  EXPECT_EQ(servers(), "10.0.0.1:53 10.0.0.2:53 10.0.0.3:53 10.0.0.4:53 ");
  // A lease with half an address is none.
  more_options_ = option_6(first + "\x01");
  turn(30min);
  EXPECT_EQ(servers(), "10.0.0.1:53 10.0.0.2:53 10.0.0.3:53 10.0.0.4:53 ");
  // One without servers brings none.
  more_options_.clear();
  turn(2h);
  EXPECT_EQ(servers(), "");
}

TEST(LeaseTimes, AreInOrder) {
  using net::lwip::lease_times;
  auto times = [](std::uint32_t lease, std::uint32_t renew, std::uint32_t rebind) {
    const auto [end, first, second] = lease_times(lease, renew, rebind);
    return std::vector<std::uint32_t>{end, first, second};
  };
  using All = std::vector<std::uint32_t>;
  EXPECT_EQ(times(3600, 1800, 3150), (All{3600, 1800, 3150}));
  EXPECT_EQ(times(3600, 100, 200), (All{3600, 100, 200}));
  EXPECT_EQ(times(3600, 0, 0), (All{3600, 1800, 3150}));
  EXPECT_EQ(times(3600, 4000, 4000), (All{3600, 1800, 3150}));
  EXPECT_EQ(times(3600, 3300, 3200), (All{3600, 1800, 3200}));
  EXPECT_EQ(times(8, 4, 7), (All{8, 4, 7}));
  EXPECT_EQ(times(1, 0, 0), (All{1, 1, 1}));
  EXPECT_EQ(times(0xffff'ffff, 0xffff'ffff, 0xffff'ffff)[1], 0x7fff'ffffU);
}

}  // namespace
