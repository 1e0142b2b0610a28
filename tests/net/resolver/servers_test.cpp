// SPDX-License-Identifier: ISC
// tests/net/resolver/servers_test.cpp: where DNS servers come from.
//
// Method:  tables; instants by hand.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/name_servers.hpp"

namespace {

using namespace std::chrono_literals;
using net::Endpoint;
using net::NameServers;

std::vector<std::string> texts(const NameServers::List& list) {
  std::vector<std::string> out;
  for (const Endpoint& each : list.all()) {
    out.push_back(net::address_text(each) + " " + std::to_string(each.port));
  }
  return out;
}
using Texts = std::vector<std::string>;

TEST(NameServers, TextsOfServers) {
  const auto shown = [](std::string_view text) {
    const auto server = net::name_server_of(text);
    return server ? net::address_text(*server) + " " + std::to_string(server->port) : "none";
  };
  EXPECT_EQ(shown("192.0.2.1"), "192.0.2.1 53");
  EXPECT_EQ(shown("192.0.2.1:5353"), "192.0.2.1 5353");
  EXPECT_EQ(shown("2001:db8::1"), "2001:db8::1 53");
  EXPECT_EQ(shown("[2001:db8::1]"), "2001:db8::1 53");
  EXPECT_EQ(shown("[2001:db8::1]:5353"), "2001:db8::1 5353");
  for (const char* bad :
       {"", ":", ":53", "a.example", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:+5",
        "192.0.2.1:5x", "[192.0.2.1]", "[192.0.2.1]:53", "[2001:db8::1", "2001:db8::1]", "[]:53",
        "[", "[2001:db8::1]53", "[2001:db8::1]:", "192.0.2.1 "}) {
    EXPECT_EQ(shown(bad), "none") << bad;
  }
}

TEST(NameServers, OfAFile) {
  EXPECT_EQ(texts(net::name_servers_of_file("# nameserver 192.0.2.9\n"
                                            "search example.org\n"
                                            "nameserver 192.0.2.1\r\n"
                                            "nameserver\t2001:db8::1  # ours\n"
                                            "nameserver 192.0.2.1\n"
                                            "nameserver fe80::1%eth0\n"
                                            "nameservers 192.0.2.8\n"
                                            "nameserver\n"
                                            "nameserver 127.0.0.53")),
            (Texts{"192.0.2.1 53", "2001:db8::1 53", "127.0.0.53 53"}));
  std::string many;
  for (int i = 1; i < 20; ++i) many += "nameserver 192.0.2." + std::to_string(i) + "\n";
  EXPECT_EQ(net::name_servers_of_file(many).all().size(), NameServers::servers_max);
  EXPECT_TRUE(net::name_servers_of_file("").all().empty());
}

TEST(NameServers, ConfiguredOnesAreTheOnlyOnes) {
  const base::Instant now{};
  NameServers servers;
  EXPECT_TRUE(servers.list(now).all().empty());
  const std::vector<Endpoint> dhcp{net::ipv4(192, 0, 2, 1, 53), net::ipv4(192, 0, 2, 2, 53)};
  servers.hear_dhcp(dhcp);
  const Endpoint router = *net::name_server_of("2001:db8::1");
  servers.hear_router(router, now + 10s, now);
  EXPECT_EQ(texts(servers.list(now)), (Texts{"2001:db8::1 53", "192.0.2.1 53", "192.0.2.2 53"}));
  EXPECT_EQ(texts(servers.list(now + 10s)), (Texts{"192.0.2.1 53", "192.0.2.2 53"}));
  servers.hear_router(router, now, now);  // withdrawn
  EXPECT_EQ(texts(servers.list(now)), (Texts{"192.0.2.1 53", "192.0.2.2 53"}));
  servers.hear_dhcp({});
  EXPECT_TRUE(servers.list(now).all().empty());
  servers.hear_dhcp(dhcp);
  const std::vector<Endpoint> configured{net::ipv4(198, 51, 100, 1, 5353)};
  servers.configure(configured);
  EXPECT_EQ(texts(servers.list(now)), (Texts{"198.51.100.1 5353"}));
}

TEST(NameServers, ManyRoutersServersTakeTurns) {
  NameServers servers;
  const base::Instant now{};
  for (std::uint8_t i = 1; i < 50; ++i) {
    Endpoint server = *net::name_server_of("2001:db8::");
    server.address[15] = i;
    servers.hear_router(server, now + std::chrono::seconds(100 + i), now);
  }
  const NameServers::List list = servers.list(now);
  ASSERT_EQ(list.all().size(), NameServers::servers_max);
  for (const Endpoint& each : list.all()) EXPECT_GE(each.address[15], 46);
  // One that would end before all others is not taken in.
  servers.hear_router(*net::name_server_of("2001:db8::ff"), now + 1s, now);
  const NameServers::List still = servers.list(now);
  for (const Endpoint& each : still.all()) EXPECT_NE(each.address[15], 0xff);
}

TEST(NameServers, WhatOthersNameMustBeAHost) {
  for (const char* bad : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1",
                          "255.255.255.255", "::", "::1", "ff02::1"}) {
    EXPECT_FALSE(net::can_be_name_server(*net::address_of(bad))) << bad;
  }
  for (const char* good :
       {"10.0.0.1", "192.168.1.1", "8.8.8.8", "2001:db8::1", "fd00::1", "fe80::1"}) {
    EXPECT_TRUE(net::can_be_name_server(*net::address_of(good))) << good;
  }
}

}  // namespace
