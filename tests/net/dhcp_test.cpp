// SPDX-License-Identifier: ISC
// tests/net/dhcp_test.cpp: an address from DHCP that another host has is given back (RFC 2131
// section 3.1.5), and another asked for.
//
// Method: a DHCP server made of frames answers the stack, in simulated time; the other host is an
// ARP frame. What the stack sends is read as bytes.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  void see(const std::string& frame) {
    if (frame.size() < options_at || frame[23] != 17) return;
    const std::string type = option(frame, 53);
    ASSERT_EQ(type.size(), 1U);
    seen_.emplace_back(type[0], frame);
    const bool is_discover = type[0] == discover;
    if (is_discover) ++offered_;
    if (is_discover || type[0] == request) answer(frame, is_discover ? offer : acknowledge);
  }
  void answer(const std::string& question, int type) {
    std::string message = question.substr(dhcp_at, 240);
    message[0] = 2;
    message.replace(16, 4, word_text(offered_));
    message += std::string("\x35\x01", 2) + static_cast<char>(type);
    message += "\x36\x04" + word_text(server);
    message += "\x33\x04" + word_text(3600);
    message += "\x01\x04" + word_text(0xffffff00);
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

}  // namespace
