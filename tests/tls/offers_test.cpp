// SPDX-License-Identifier: ISC
// tests/tls/offers_test.cpp: what a handshake agrees on besides keys: the application protocol, and
// which certificate is shown.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/tls/two_ends.hpp"

namespace {

using test_client::Client;
using two_ends::Server;
using two_ends::talk;

TEST(Offers, ApplicationProtocolAndNamesChoose) {
  std::vector<tls::Identity> identities;
  identities.push_back(authority::identity("P-256", "first.example"));
  identities.push_back(authority::identity("P-256", "*.second.example"));
  identities.push_back(authority::identity("RSA-2048", "*.second.example"));
  const auto with = std::make_shared<tls::Context>(std::move(identities), authority::entropy());
  struct Row {
    const char* name;
    const char* signatures;
    const char* shown;
    int kind;
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const Row& row :
         {Row{"first.example", "", "first.example", EVP_PKEY_EC},
          Row{"FIRST.example", "", "first.example", EVP_PKEY_EC},
          Row{"a.second.example", "", "*.second.example", EVP_PKEY_EC},
          Row{"a.second.example", "RSA-PSS+SHA256:RSA+SHA256", "*.second.example", EVP_PKEY_RSA},
          Row{"other.example", "", "first.example", EVP_PKEY_EC},
          Row{"", "", "first.example", EVP_PKEY_EC}}) {
      SCOPED_TRACE(std::string(row.name) + " " + row.signatures);
      Client client({.version_min = version,
                     .version_max = version,
                     .signature_algorithms = row.signatures,
                     .name = row.name,
                     .alpn = std::string("\2h2\10http/1.1")});
      Server server(with);
      talk(client, server);
      ASSERT_TRUE(client.is_open());
      EXPECT_EQ(client.certificate_name(), row.shown);
      EXPECT_EQ(client.certificate_kind(), row.kind);
      EXPECT_EQ(client.alpn(), "http/1.1");
      EXPECT_EQ(server.session.protocol(), "http/1.1");
      const std::string_view other =
          std::string_view(row.shown) == "first.example" ? "b.second.example" : "first.example";
      EXPECT_FALSE(server.session.serves(other));
      EXPECT_EQ(server.session.serves("first.example"), row.shown == std::string("first.example"));
      EXPECT_EQ(server.session.serves("b.second.example."),
                row.shown == std::string("*.second.example"));
    }
  }
}

TEST(Offers, OffersHttp2OnlyWhenItIsTold) {
  struct Row {
    std::string alpn;
    tls::Offer offer;
    std::string_view agreed;  // "-": none, and no session
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const Row& row :
         {Row{"\2h2\10http/1.1", tls::Offer::http_2, "h2"},
          Row{"\10http/1.1\2h2", tls::Offer::http_2, "h2"},
          Row{"\10http/1.1", tls::Offer::http_2, "http/1.1"}, Row{"\2h2", tls::Offer::http_2, "h2"},
          Row{"", tls::Offer::http_2, ""}, Row{"\2h3", tls::Offer::http_2, "-"},
          Row{"\2h2\10http/1.1", tls::Offer::http_1_1, "http/1.1"},
          Row{"\2h2", tls::Offer::http_1_1, "-"}}) {
      SCOPED_TRACE(row.alpn + " " + std::string(row.agreed));
      Client client({.version_min = version, .version_max = version, .alpn = row.alpn});
      Server server;
      server.session.offer(row.offer);
      talk(client, server);
      ASSERT_EQ(client.is_open(), row.agreed != "-");
      if (!client.is_open()) continue;
      EXPECT_EQ(client.alpn(), row.agreed);
      EXPECT_EQ(server.session.protocol(), row.agreed);
    }
  }
}

// Of several identities one is shown, and only what all of them cover is surely covered by it.
TEST(Offers, AddressesAndSeveralIdentitiesAreCovered) {
  std::vector<tls::Identity> identities;
  identities.push_back(authority::identity("P-256", "*.example"));
  identities.push_back(authority::identity("RSA-2048", "a.example"));
  const tls::Context with(std::move(identities), authority::entropy());
  EXPECT_EQ(with.shown_to("a.example"), 0b11U);
  EXPECT_EQ(with.shown_to("b.example"), 0b01U);
  EXPECT_EQ(with.shown_to(""), 0b01U);
  EXPECT_TRUE(with.covers(0b01, "b.example"));
  EXPECT_FALSE(with.covers(0b11, "b.example"));
  EXPECT_TRUE(with.covers(0b11, "A.EXAMPLE."));
  EXPECT_FALSE(with.covers(0b01, "[::1]"));
}

}  // namespace
