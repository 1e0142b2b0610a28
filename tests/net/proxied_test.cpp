// SPDX-License-Identifier: ISC
// tests/net/proxied_test.cpp: the PROXY protocol: its headers, byte for byte, and who may send one.
//
// Source:  HAProxy Technologies, proxy-protocol.txt, sections 2.1 and 2.2.
// More:    the laws of a stack on net::proxied::Over are laws_test.cpp's.

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/proxied/header.hpp"
#include "tests/net/proxied_world.hpp"

namespace {

using namespace std::string_literals;
using net::proxied::Header;
using State = Header::State;

constexpr std::size_t whole = 1 << 20;

// Hands `text` on in pieces of at most `piece` bytes, as much as is wanted each time. What is left
// of it was not asked for.
Header read(std::string_view& text, std::size_t piece = whole) {
  Header header;
  while (header.state() == State::reading && !text.empty()) {
    EXPECT_GE(header.wanted(), 1U);
    const std::size_t count = std::min({header.wanted(), piece, text.size()});
    header.take(base::bytes_of(text.substr(0, count)));
    text.remove_prefix(count);
  }
  return header;
}

std::string said(const Header& header) {
  if (header.state() == State::reading) return "unfinished";
  if (header.state() == State::refused) return "refused";
  if (!header.source()) return "unknown";
  return net::address_text(*header.source()) + " " + std::to_string(header.source()->port);
}

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
std::string binary(unsigned char command, unsigned char family, const std::string& rest,
                   int length = -1) {
  const auto count = static_cast<unsigned>(length < 0 ? static_cast<int>(rest.size()) : length);
  return signature + static_cast<char>(command) + static_cast<char>(family) +
         static_cast<char>(count >> 8U) + static_cast<char>(count & 0xffU) + rest;
}
const std::string four = "\xc6\x33\x64\x07\xc0\x00\x02\x01\x9c\x40\x01\xbb"s;
const std::string six = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" + "\x20\x01\x0d\xb8"s +
                        std::string(11, '\0') + "\x01" + "\x9c\x40\x01\xbb"s;

struct Case {
  std::string header;
  std::string_view says;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"PROXY TCP4 198.51.100.7 192.0.2.1 40000 443\r\n", "198.51.100.7 40000"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "1.2.3.4 1"},
      {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255 65535"},
      {"PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n", "2001:db8::7 40000"},
      {"PROXY TCP6 :: :: 0 0\r\n", ":: 0"},
      {"PROXY UNKNOWN\r\n", "unknown"},
      {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "unknown"},
      {binary(0x21, 0x11, four), "198.51.100.7 40000"},
      {binary(0x21, 0x21, six), "2001:db8::7 40000"},
      {binary(0x21, 0x11, four + "\x04\x00\x03" + "abc"), "198.51.100.7 40000"},
      {binary(0x21, 0x11, four + std::string(65535 - 12, 'x')), "198.51.100.7 40000"},
      {binary(0x21, 0x31, std::string(216, 'p')), "unknown"},
      {binary(0x21, 0x00, ""), "unknown"},
      {binary(0x21, 0x00, std::string(300, 'x')), "unknown"},
      {binary(0x20, 0x00, ""), "unknown"},
      {binary(0x20, 0x11, four), "unknown"},  // a health check of the proxy's own
      {binary(0x20, 0xff, "any"), "unknown"},
  };
  return all;
}

TEST(ProxiedHeader, IsReadHoweverItIsCutAndNotAByteMore) {
  for (const Case& each : cases()) {
    for (const std::size_t piece : {whole, std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
      const std::string sent = each.header + "GET / HTTP/1.1\r\n";
      std::string_view left = sent;
      EXPECT_EQ(said(read(left, piece)), each.says) << each.header.substr(0, 60);
      EXPECT_EQ(left, "GET / HTTP/1.1\r\n") << each.header.substr(0, 60);
    }
  }
}

TEST(ProxiedHeader, WaitsForTheRestOfOneThatIsCutShort) {
  for (const Case& each : cases()) {
    for (std::size_t count = 0; count < std::min<std::size_t>(each.header.size(), 400); ++count) {
      std::string_view left = std::string_view(each.header).substr(0, count);
      EXPECT_EQ(said(read(left)), "unfinished") << count << " of " << each.header.substr(0, 60);
    }
  }
}

TEST(ProxiedHeader, IsRefusedWhenItIsNotOne) {
  const std::string bad[] = {
      "GET / HTTP/1.1\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00"s,
      "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY\tTCP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY TCP4\r\n",
      "PROXY TCP4 1.2.3.4\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
      "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n",
      "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n",
      "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
      "PROXY TCP4 ::1 5.6.7.8 1 2\r\n",
      "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY TCP6 2001:db8:::7 2001:db8::1 1 2\r\n",
      "PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n                ",
      "PROXY UNKNOWN\nGET / HTTP/1.1\r\n",
      "PROXY UNKNOWN " + std::string(200, 'x'),
      "PROXY UNKNOWN" + std::string(93, 'x') + "\r\n",
      "PROXY UNKNOWNS\r\n",
      signature.substr(0, 11) + "\r" + std::string(10, '\0'),
      binary(0x11, 0x11, four),  // version 1 in binary
      binary(0x22, 0x11, four),  // no command
      binary(0x21, 0x12, four),  // UDP
      binary(0x21, 0x41, four),
      binary(0x21, 0x11, four.substr(0, 11)),
      binary(0x21, 0x21, six.substr(0, 35)),
      binary(0x21, 0x31, std::string(215, 'p')),
  };
  for (const std::string& each : bad) {
    for (const std::size_t piece : {whole, std::size_t{1}}) {
      std::string_view left = each;
      EXPECT_EQ(said(read(left, piece)), "refused") << each.substr(0, 60);
    }
  }
}

// ---- Over

struct Refused {
  std::string peer;
  bool is_trusted;
};

class Proxied : public ::testing::Test {
 protected:
  using Stack = net::proxied::Over<net::MemoryStack>;

  net::proxied::OverOptions options() {
    return {.trusts = [this](const net::Endpoint&) { return is_trusted_; },
            .header_within = 5s,
            .openings_max = 3,
            .on_refusal =
                [this](const net::Endpoint& peer, bool is_trusted) {
                  refused_.push_back({net::address_text(peer), is_trusted});
                }};
  }
  bool is_trusted_ = true;
  std::vector<Refused> refused_;
  MemoryWorld world_;
};

Task<void> peer_and_bytes(MemoryWorld& world, net::proxied::Over<net::MemoryStack>& stack) {
  auto listener = stack.listen(0);
  REQUIRE(listener.has_value());
  auto client = co_await world.stack().connect(world.at(listener->port()), long_time);
  REQUIRE(client.has_value());
  EXPECT_TRUE(co_await send(*client, "PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\nhello"));
  auto flow = co_await listener->accept();
  REQUIRE(flow.has_value());
  EXPECT_EQ(net::address_text(flow->peer()), "2001:db8::7");
  EXPECT_EQ(flow->peer().port, 40000);
  EXPECT_EQ(co_await receive(*flow, 5), "hello");
  EXPECT_TRUE(co_await send(*flow, "back"));
  EXPECT_EQ(co_await receive(*client, 4), "back");
}
TEST_F(Proxied, TheClientIsWhoTheProxySays) {
  Stack stack(world_.stack(), world_.loop(), options());
  run(world_, peer_and_bytes(world_, stack));
}

Task<void> nothing_but_the_end(MemoryWorld& world, net::proxied::Over<net::MemoryStack>& stack,
                               std::string_view sent) {
  auto listener = stack.listen(0);
  REQUIRE(listener.has_value());
  auto client = co_await world.stack().connect(world.at(listener->port()), long_time);
  REQUIRE(client.has_value());
  co_await send(*client, sent);
  std::string got;
  co_await drain(*client, got);
  EXPECT_EQ(got, "");
  co_await settle(world);
  EXPECT_EQ(stack.opening_count(), 0U);
}
TEST_F(Proxied, AnybodyElseIsClosedWhateverTheySay) {
  is_trusted_ = false;
  Stack stack(world_.stack(), world_.loop(), options());
  run(world_, nothing_but_the_end(world_, stack, "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nhello"));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_FALSE(refused_[0].is_trusted);
}
TEST_F(Proxied, AProxyWithoutAHeaderIsClosed) {
  Stack stack(world_.stack(), world_.loop(), options());
  run(world_, nothing_but_the_end(world_, stack, "GET / HTTP/1.1\r\n\r\n"));
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_TRUE(refused_[0].is_trusted);
}
TEST_F(Proxied, AProxyThatStopsIsClosedWhenItsTimeIsOver) {
  Stack stack(world_.stack(), world_.loop(), options());
  const base::Instant before = world_.loop().clock().now();
  run(world_, nothing_but_the_end(world_, stack, "PROXY TCP4 1.2"));
  EXPECT_GE(world_.loop().clock().now() - before, 5s);
  EXPECT_EQ(refused_.size(), 1U);
}

// Silent ones give way to those that speak, and hold nobody up.
Task<void> many_silent(MemoryWorld& world, net::proxied::Over<net::MemoryStack>& stack) {
  auto listener = stack.listen(0);
  REQUIRE(listener.has_value());
  std::vector<net::MemoryFlow> silent;
  for (int i = 0; i < 10; ++i) {
    auto flow = co_await world.stack().connect(world.at(listener->port()), long_time);
    REQUIRE(flow.has_value());
    silent.push_back(std::move(*flow));
    co_await settle(world);
    EXPECT_LE(stack.opening_count(), 3U);
  }
  auto client = co_await world.stack().connect(world.at(listener->port()), long_time);
  REQUIRE(client.has_value());
  EXPECT_TRUE(co_await send(*client, "PROXY UNKNOWN\r\nhello"));
  auto flow = co_await listener->accept();
  REQUIRE(flow.has_value());
  EXPECT_EQ(co_await receive(*flow, 5), "hello");
  listener->close();
  co_await settle(world);
  EXPECT_EQ(stack.opening_count(), 0U);
}
TEST_F(Proxied, TheOldestSilentOneGivesWay) {
  Stack stack(world_.stack(), world_.loop(), options());
  run(world_, many_silent(world_, stack));
}

Task<void> as_it_came(MemoryWorld& world, net::proxied::Over<net::MemoryStack>& stack) {
  auto listener = stack.listen(0);
  REQUIRE(listener.has_value());
  auto client = co_await world.stack().connect(world.at(listener->port()), long_time);
  REQUIRE(client.has_value());
  const std::string sent = "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n";
  EXPECT_TRUE(co_await send(*client, sent));
  auto flow = co_await listener->accept();
  REQUIRE(flow.has_value());
  EXPECT_EQ(co_await receive(*flow, sent.size()), sent);
  EXPECT_NE(net::address_text(flow->peer()), "1.2.3.4");
}
TEST_F(Proxied, OffItChangesNothing) {
  Stack stack(world_.stack(), world_.loop(), {});
  run(world_, as_it_came(world_, stack));
}

}  // namespace
