// SPDX-License-Identifier: ISC
// tests/tls/hello_clauses_test.cpp: what a server says to a ClientHello with odd content.
//
// Method: hellos are built here, part by part. Each row changes one part, names its clause, and the
//         alert that must come instead of a ServerHello; none: the ServerHello must come.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "crypto/x25519.hpp"
#include "tests/tls/hello_parts.hpp"
#include "tests/tls/two_ends.hpp"
#include "tls/hello_faults.hpp"

namespace {

using namespace hello_parts;
using tls::Phase;
using two_ends::Server;

constexpr int none = -1;
constexpr int unexpected = 10, handshake_failure = 40, illegal = 47, decode = 50, version = 70;

// The alert that is all that a new server says; none: it says ServerHello.
int answer_to(const Parts& parts) {
  Server server;
  server.take(records_of(parts.message()));
  const std::string said = server.give();
  if (said.size() == 7 && said[0] == 21) {
    EXPECT_EQ(server.session.phase(), Phase::failed);
    return static_cast<unsigned char>(said[6]);
  }
  EXPECT_TRUE(said.size() > 5 && said[0] == 22 && said[5] == 2) << said.size();
  return none;
}

struct Row {
  const char* clause;
  void (*change)(Parts& parts);
  int alert;
};

const Row both[] = {
    {"a good one", [](Parts&) {}, none},
    {"8446 4.1.2: a session identifier of more than 32 bytes",
     [](Parts& parts) { parts.session_id = std::string(33, 's'); }, decode},
    {"half a suite", [](Parts& parts) { parts.suites += '\x13'; }, decode},
    {"no compression method", [](Parts& parts) { parts.compressions.clear(); }, decode},
    {"more than the extensions", [](Parts& parts) { parts.after = "x"; }, decode},
    {"8446 4.2: an extension that comes twice",
     [](Parts& parts) { parts.extensions.push_back(parts.extensions.front()); }, illegal},
    {"unknown extensions", [](Parts& parts) { parts.set(0xfafa, "anything"); }, none},
    {"6066 3: a host", [](Parts& p) { p.set(0, list(host("localhost"), 2)); }, none},
    {"an unknown host", [](Parts& p) { p.set(0, list(host("elsewhere.example"), 2)); }, none},
    {"an empty extension", [](Parts& p) { p.set(0, ""); }, decode},
    {"an empty list", [](Parts& p) { p.set(0, list("", 2)); }, decode},
    {"an empty name", [](Parts& p) { p.set(0, list(host(""), 2)); }, decode},
    {"a list that is too short", [](Parts& p) { p.set(0, list(host("a"), 2) + "x"); }, decode},
    {"a list that is too long", [](Parts& p) { p.set(0, number(40, 2) + host("localhost")); },
     decode},
    {"a name that is too long",
     [](Parts& p) { p.set(0, list(std::string("\0\0\x09", 3) + "a", 2)); }, decode},
    {"two hosts", [](Parts& p) { p.set(0, list(host("a") + host("b"), 2)); }, illegal},
    {"a name of another type", [](Parts& p) { p.set(0, list(host("a") + host("b", 9), 2)); }, none},
    {"a zero in a name",
     [](Parts& p) {
       p.set(0, list(host({"a\0b", 3}), 2));
     },
     illegal},
    {"a name that is not ASCII", [](Parts& p) { p.set(0, list(host("\xc3\xa4"), 2)); }, illegal},
    {"7301 3.1: a protocol", [](Parts& p) { p.set(16, list(list("http/1.1", 1), 2)); }, none},
    {"no protocol that is ours", [](Parts& p) { p.set(16, list(list("x", 1), 2)); }, 120},
    {"an empty extension", [](Parts& p) { p.set(16, ""); }, decode},
    {"an empty list", [](Parts& p) { p.set(16, list("", 2)); }, decode},
    {"an empty protocol", [](Parts& p) { p.set(16, list(list("http/1.1", 1) + list("", 1), 2)); },
     decode},
    {"a list that is too short", [](Parts& p) { p.set(16, list(list("http/1.1", 1), 2) + "x"); },
     decode},
    {"a protocol that is too long", [](Parts& p) { p.set(16, list("\x09http/1.1", 2)); }, decode},
    {"8446 4.2.7: an empty list of groups", [](Parts& p) { p.set(10, list("", 2)); }, decode},
    {"half a group", [](Parts& p) { p.set(10, list("\0\x1d\0", 2)); }, decode},
    {"8446 4.2.3: an empty list of signature algorithms", [](Parts& p) { p.set(13, list("", 2)); },
     decode},
    {"half an algorithm", [](Parts& p) { p.set(13, list("\4\3\4", 2)); }, decode},
    {"no algorithm that suits the certificate",
     [](Parts& p) {
       p.set(13, list(numbers({pss, 0x0807}), 2));
     },
     handshake_failure},
    {"thousands of algorithms, ours the last",
     [](Parts& p) {
       std::string many;
       for (std::size_t i = 0; i < 5000; ++i) many += number(0xe000 + i, 2);
       p.set(13, list(many + number(ecdsa, 2), 2));
     },
     none},
    {"7627 5.1: extended_master_secret with content", [](Parts& p) { p.set(23, "x"); }, decode},
    {"5746 3.6: a renegotiation in the first hello",
     [](Parts& p) { p.set(extension::renegotiation_info, list("x", 1)); }, handshake_failure},
    {"a malformed one", [](Parts& p) { p.set(extension::renegotiation_info, "\2x"); }, decode},
};
const Row of_1_2[] = {
    {"8422 4: no group of ours",
     [](Parts& p) {
       p.set(10, list(numbers({24, 25}), 2));
     },
     handshake_failure},
    {"8422 5.1.2: no point formats", [](Parts& p) { p.set(11, list("", 1)); }, decode},
    {"all but the uncompressed one", [](Parts& p) { p.set(11, list("\1\2", 1)); }, illegal},
    {"the uncompressed one",
     [](Parts& p) {
       p.set(11, list({"\1\0", 2}, 1));
     },
     none},
    {"5246 7.4.1.2: compression methods beside null",
     [](Parts& p) { p.compressions = std::string("\1\0", 2); }, none},
    {"neither is null", [](Parts& p) { p.compressions = "\1\2"; }, illegal},
    {"8422 4: no supported_groups", [](Parts& p) { p.remove(10); }, none},
    {"5246 7.4.1.4.1: no signature_algorithms: SHA-1", [](Parts& p) { p.remove(13); },
     handshake_failure},
    {"5246 E.1: a version above 1.2", [](Parts& p) { p.legacy_version = 0x0304; }, none},
    {"4,1", [](Parts& p) { p.legacy_version = 0x0401; }, none},
    {"254,254", [](Parts& p) { p.legacy_version = 0xfefe; }, none},
    {"a version below 1.2", [](Parts& p) { p.legacy_version = 0x0302; }, version},
};
const Row of_1_3[] = {
    {"8446 4.2.9, 8701 3.1: modes that nobody knows",
     [](Parts& p) { p.set(extension::psk_modes, list("\x0b\1\x2a", 1)); }, none},
    {"no known mode", [](Parts& p) { p.set(extension::psk_modes, list("\x0b", 1)); }, none},
    {"8446 4.1.2: another compression method", [](Parts& p) { p.compressions = "\1"; }, illegal},
    {"8446 4.2.1: no versions", [](Parts& p) { p.set(43, list("", 1)); }, decode},
    {"half a version", [](Parts& p) { p.set(43, list("\3\4\3", 1)); }, decode},
    {"8446 4.2.8: a share whose group is not in supported_groups",
     [](Parts& p) { p.set(10, list(numbers({p256}), 2)); }, illegal},
    {"two shares of a group",
     [](Parts& p) { p.set(51, list(share(x25519, base_point) + share(x25519, base_point), 2)); },
     illegal},
    {"a share of another size",
     [](Parts& p) { p.set(51, list(share(x25519, std::string(31, '\x09')), 2)); }, illegal},
    {"a compressed share of P-256",
     [](Parts& p) { p.set(51, list(share(p256, "\2" + std::string(32, 'x')), 2)); }, illegal},
    {"a share of P-256 that is no point",
     [](Parts& p) { p.set(51, list(share(p256, "\4" + std::string(64, 'x')), 2)); }, illegal},
    {"a list of shares that is too short",
     [](Parts& p) { p.set(51, list(share(x25519, base_point), 2) + "x"); }, decode},
    {"4.2.11: a ticket that is not the last extension",
     [](Parts& p) {
       p.set(extension::psk_modes, list("\1", 1));
       p.set(extension::pre_shared_key,
             list(list("ticket", 2) + number(0, 4), 2) + list(list(std::string(32, 'b'), 1), 2));
       p.set(0xfafa, "");
     },
     illegal},
    {"an unknown ticket",
     [](Parts& p) {
       p.set(extension::psk_modes, list("\1", 1));
       p.set(extension::pre_shared_key,
             list(list("ticket", 2) + number(0, 4), 2) + list(list(std::string(32, 'b'), 1), 2));
     },
     none},
    {"7748 6.1: a share of zeros",
     [](Parts& p) { p.set(51, list(share(x25519, std::string(32, '\0')), 2)); }, illegal},
    {"a share of one",
     [](Parts& p) { p.set(51, list(share(x25519, "\1" + std::string(31, '\0')), 2)); }, illegal},
};

TEST(HelloClauses, OfBothVersions) {
  for (const Row& row : both) {
    for (const auto& make : {hello_1_2, hello_1_3}) {
      Parts parts = make();
      SCOPED_TRACE(std::string(row.clause) + (make == hello_1_2 ? ", 1.2" : ", 1.3"));
      row.change(parts);
      EXPECT_EQ(answer_to(parts), row.alert);
    }
  }
}

TEST(HelloClauses, OfTls12) {
  for (const Row& row : of_1_2) {
    SCOPED_TRACE(row.clause);
    Parts parts = hello_1_2();
    row.change(parts);
    EXPECT_EQ(answer_to(parts), row.alert);
  }
}

TEST(HelloClauses, OfTls13) {
  for (const Row& row : of_1_3) {
    SCOPED_TRACE(row.clause);
    Parts parts = hello_1_3();
    row.change(parts);
    EXPECT_EQ(answer_to(parts), row.alert);
  }
}

std::string server_hello_for(const Parts& parts) {
  Server server;
  server.take(records_of(parts.message()));
  return server.give();
}

// RFC 8446 section 4.2.1: the latest version that both know, in whatever order they are offered.
TEST(HelloClauses, VersionsInAnyOrder) {
  const std::string chosen_1_3 = number(extension::supported_versions, 2) + list("\3\4", 2);
  Parts parts = hello_1_3();
  parts.suites += numbers({0xc02b, 0xc02f});
  for (const auto& versions : {numbers({0x0304, 0x0303}), numbers({0x0303, 0x0304}),
                               numbers({0x7a7a, 0x0303, 0x0302, 0x0304})}) {
    parts.set(extension::supported_versions, list(versions, 1));
    EXPECT_NE(server_hello_for(parts).find(chosen_1_3), std::string::npos);
  }
}

// RFC 7627 section 5.3: tickets are given with the extended master secret only.
TEST(HelloClauses, TicketsNeedTheExtendedMasterSecret) {
  const std::string ticket_will_come = number(extension::session_ticket, 2) + list("", 2);
  Parts parts = hello_1_2();
  parts.set(extension::session_ticket, "");
  EXPECT_EQ(server_hello_for(parts).find(ticket_will_come), std::string::npos);
  parts.set(extension::extended_master_secret, "");
  EXPECT_NE(server_hello_for(parts).find(ticket_will_come), std::string::npos);
}

// The rules hold for the hello that answers a HelloRetryRequest, too.
TEST(HelloClauses, OfTheSecondHello) {
  Parts parts = hello_1_3();
  parts.set(extension::key_share, list("", 2));
  Server server;
  server.take(records_of(parts.message()));
  ASSERT_EQ(server.session.phase(), Phase::handshake);
  ASSERT_GT(server.give().size(), 7U);
  parts.set(extension::key_share, list(share(x25519, std::string(32, '\0')), 2));
  server.take(records_of(parts.message()));
  const std::string said = server.give();
  ASSERT_EQ(said.size(), 7U);
  EXPECT_EQ(said[6], illegal);
}

// RFC 8446 section 4.2.10: early data is skipped only by a server that chose TLS 1.3.
TEST(HelloClauses, EarlyDataAfterAHelloThatGets12) {
  for (const bool has_1_3 : {true, false}) {
    Parts parts = has_1_3 ? hello_1_3() : hello_1_2();
    if (!has_1_3) parts.set(extension::supported_versions, list(numbers({0x0305, 0x0303}), 1));
    parts.set(extension::early_data, "");
    Server server;
    server.take(records_of(parts.message()));
    server.give();
    server.take("\x17\x03\x03" + list(std::string(40, 'e'), 2));
    EXPECT_EQ(server.session.phase(), has_1_3 ? Phase::handshake : Phase::failed);
    if (!has_1_3) {
      EXPECT_EQ(server.give().back(), unexpected);
    }
  }
}

// The points are those for which every product is zero (RFC 7748 section 6.1), and no others.
TEST(HelloClauses, PointsOfLowOrder) {
  std::array<std::uint8_t, 32> p_1{};  // p - 1 and the next two
  p_1.fill(0xff);
  p_1[31] = 0x7f;
  std::vector<crypto::X25519Bytes> points;
  for (const int low : {0, 1, 2, 9}) {
    crypto::X25519Bytes u{};
    u[0] = static_cast<std::uint8_t>(low);
    points.push_back(u);
  }
  for (const int low : {0xeb, 0xec, 0xed, 0xee, 0xef}) {
    p_1[0] = static_cast<std::uint8_t>(low);
    points.push_back(p_1);
  }
  points.push_back({0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                    0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                    0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00});
  points.push_back({0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
                    0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
                    0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57});
  crypto::X25519Bytes secret;
  secret.fill(0x55);
  int low = 0;
  for (crypto::X25519Bytes u : points) {
    for (const int top : {0, 0x80}) {
      u[31] = static_cast<std::uint8_t>((u[31] & 0x7f) | top);
      const bool is_zero = crypto::x25519(secret, u) == crypto::X25519Bytes{};
      EXPECT_EQ(tls::is_of_low_order(std::as_bytes(std::span(u))), is_zero);
      low += is_zero ? 1 : 0;
    }
  }
  EXPECT_EQ(low, 14);
}

}  // namespace
