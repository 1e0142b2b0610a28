// SPDX-License-Identifier: ISC
// tests/net/addresses_test.cpp: the addresses of a stack, from a boot line's text.
//
// Method: tables of texts with what they mean, and of texts with what is wrong about them.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/endpoint.hpp"
#include "net/lwip/addresses.hpp"

namespace {

using net::lwip::AddressTexts;
using net::lwip::Ipv6Mode;
using net::lwip::options_of;

TEST(Ipv4Text, IsFourNumbers) {
  const std::vector<std::pair<std::string, bool>> table = {
      {"0.0.0.0", true},     {"255.255.255.255", true}, {"192.0.2.1", true},  {"", false},
      {"1.2.3", false},      {"1.2.3.4.5", false},      {"1.2.3.256", false}, {"1.2.3.-4", false},
      {"1.2.3.4 ", false},   {" 1.2.3.4", false},       {"1..3.4", false},    {"01.2.3.4", false},
      {"1.2.3.4/24", false}, {"a.b.c.d", false},        {"1.2.3.+4", false},  {"0x1.2.3.4", false},
  };
  for (const auto& [text, good] : table) {
    EXPECT_EQ(net::lwip::parse_ipv4(text).has_value(), good) << text;
  }
  EXPECT_EQ(net::lwip::parse_ipv4("192.0.2.1"), (net::lwip::Ipv4Address{192, 0, 2, 1}));
}

TEST(Ipv6Text, IsWrittenBackAsItWas) {
  for (const std::string text :
       {"::", "::1", "1::", "fe80::1", "2001:db8::2:1", "1:2:3:4:5:6:7:8", "2001:db8:0:1::"}) {
    const auto address = net::lwip::parse_ipv6(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(net::address_text({*address, 0}), text);
  }
  EXPECT_EQ(net::lwip::parse_ipv6("64:ff9b::192.0.2.1"),
            net::lwip::parse_ipv6("64:ff9b::c000:201"));
  EXPECT_EQ(net::lwip::parse_ipv6("FE80::A"), net::lwip::parse_ipv6("fe80::a"));
}

TEST(Ipv6Text, IsRefused) {
  for (const std::string text :
       {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
        "12345::", "g::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", ":1::", "1::2:", "fe80::1%eth0",
        "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "fe80::1/64", " ::1"}) {
    EXPECT_FALSE(net::lwip::parse_ipv6(text)) << text;
  }
}

TEST(Addresses, GoodOnes) {
  auto none = options_of({});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->ipv4);
  EXPECT_TRUE(none->dhcp);
  EXPECT_EQ(none->ipv6_mode, Ipv6Mode::automatic);

  auto both = options_of({.ipv4 = "10.0.0.2/24",
                          .ipv4_gateway = "10.0.0.1",
                          .ipv6 = "2001:db8::2/64",
                          .ipv6_gateway = "fe80::1"});
  ASSERT_TRUE(both) << both.error();
  EXPECT_FALSE(both->dhcp);
  EXPECT_EQ(both->ipv4->address, (net::lwip::Ipv4Address{10, 0, 0, 2}));
  EXPECT_EQ(both->ipv4->prefix_bits, 24U);
  EXPECT_EQ(both->ipv4->gateway, (net::lwip::Ipv4Address{10, 0, 0, 1}));
  EXPECT_EQ(both->ipv6_mode, Ipv6Mode::fixed);
  EXPECT_EQ(both->ipv6.address, net::lwip::parse_ipv6("2001:db8::2"));
  EXPECT_EQ(both->ipv6.gateway, net::lwip::parse_ipv6("fe80::1"));

  EXPECT_EQ(options_of({.ipv6 = "off"})->ipv6_mode, Ipv6Mode::off);
  EXPECT_TRUE(options_of({.dhcp = true})->dhcp);
  // Point to point, and alone.
  EXPECT_TRUE(options_of({.ipv4 = "192.0.2.0/31", .ipv4_gateway = "192.0.2.1"}));
  EXPECT_TRUE(options_of({.ipv4 = "192.0.2.1/32"}));
}

TEST(Addresses, BadOnesSayWhy) {
  struct Row {
    AddressTexts texts;
    std::string says;
  };
  const std::vector<Row> table = {
      {{.ipv4 = "10.0.0.2"}, "--ipv4 cannot be '10.0.0.2': it takes an address and the bits"},
      {{.ipv4 = "10.0.0.2/33"}, "it takes an address"},
      {{.ipv4 = "10.0.0.2/"}, "it takes an address"},
      {{.ipv4 = "10.0.0/24"}, "it takes an address"},
      {{.ipv4 = "10.0.0.2/0"}, "it takes an address"},
      {{.ipv4 = "10.0.0.0/24"}, "that is the network itself"},
      {{.ipv4 = "10.0.0.255/24"}, "broadcast"},
      {{.ipv4 = "224.0.0.1/24"}, "multicast"},
      {{.ipv4 = "127.0.0.1/8"}, "not the address of a host"},
      {{.ipv4 = "10.0.0.2/24", .dhcp = true}, "exclude each other"},
      {{.ipv4_gateway = "10.0.0.1"}, "belongs to --ipv4"},
      {{.ipv4 = "10.0.0.2/24", .ipv4_gateway = "10.0.1.1"}, "outside the network 10.0.0.0/24"},
      {{.ipv4 = "10.0.0.2/24", .ipv4_gateway = "10.0.0.2"}, "own address"},
      {{.ipv4 = "10.0.0.2/24", .ipv4_gateway = "router"}, "it takes an address, as 192.0.2.1"},
      {{.group = "management", .ipv4 = "10.0.0.2/24", .ipv4_gateway = "10.0.1.1"},
       "--management-ipv4-gateway cannot be '10.0.1.1': it is outside the network 10.0.0.0/24 that "
       "--management-ipv4 names"},
      {{.ipv6 = "on"}, "it takes auto, off, or"},
      {{.ipv6 = "2001:db8::2"}, "it takes auto, off, or"},
      {{.ipv6 = "2001:db8::2/129"}, "it takes auto, off, or"},
      {{.ipv6 = "2001:db8::2/48"}, "only networks of 64 bits"},
      {{.ipv6 = "ff02::1/64"}, "not the address of a host"},
      {{.ipv6 = "::1/64"}, "not the address of a host"},
      {{.ipv6 = "auto", .ipv6_gateway = "fe80::1"}, "belongs to a fixed --ipv6"},
      {{.ipv6 = "2001:db8::2/64", .ipv6_gateway = "2001:db8:1::1"}, "neither link-local"},
      {{.ipv6 = "2001:db8::2/64", .ipv6_gateway = "2001:db8::2"}, "own address"},
      {{.ipv6 = "2001:db8::2/64", .ipv6_gateway = "fe80:1"}, "it takes an address, as fe80::1"},
  };
  for (const Row& row : table) {
    auto options = options_of(row.texts);
    ASSERT_FALSE(options) << row.says;
    EXPECT_NE(options.error().find(row.says), std::string::npos) << options.error();
  }
}

}  // namespace
