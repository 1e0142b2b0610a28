// SPDX-License-Identifier: ISC
// tests/tls/clauses_test.cpp: what RFC 8446 and RFC 5246 have a server do with odd records.
//
// Method: OpenSSL's client, whose hello is changed on the way, or whose place is taken once the
//         session is open: its traffic secret seals records of any type. Each row names its clause,
//         and the alert that the client must be told, or none: then it is served.

#include <gtest/gtest.h>

#include <functional>

#include "tests/tls/client.hpp"
#include "tests/tls/two_ends.hpp"
#include "tls/records.hpp"

namespace {

using test_client::Client;
using tls::ContentType;
using tls::Phase;
using two_ends::Server;
using two_ends::talk;

std::string record(int type, std::string_view content, char minor = 1) {
  std::string out{static_cast<char>(type), 3, minor, static_cast<char>(content.size() >> 8U),
                  static_cast<char>(content.size() & 0xffU)};
  return out.append(content);
}
std::string content_of(std::string_view hello) { return std::string(hello.substr(5)); }
std::string fragments(std::string_view content, std::size_t size) {
  std::string out;
  for (std::size_t at = 0; at < content.size(); at += size) {
    out += record(22, content.substr(at, size));
  }
  return out;
}
const std::string_view none;

// The plain alert at the front of what the server said; -1: it is none.
int plain_alert(std::string_view said) {
  return said.size() >= 7 && said[0] == 21 ? static_cast<unsigned char>(said[6]) : -1;
}

struct HelloRow {
  const char* clause;
  std::string (*change)(std::string hello);
  int alert;  // -1: the handshake succeeds
};
const HelloRow hellos[] = {
    {"5246 E.1: any record version 3,x", [](std::string hello) { return hello; }, -1},
    {"3,0", [](std::string hello) { return record(22, content_of(hello), 0); }, -1},
    {"3,3", [](std::string hello) { return record(22, content_of(hello), 3); }, -1},
    {"3,254", [](std::string hello) { return record(22, content_of(hello), '\xfe'); }, -1},
    {"8446 5.1: a message in several records",
     [](std::string hello) { return fragments(content_of(hello), 100); }, -1},
    {"a byte in each", [](std::string hello) { return fragments(content_of(hello), 1); }, -1},
    {"8446 5.1: no empty record of a handshake",
     [](std::string hello) { return record(22, none) + hello; }, 10},
    {"none between the parts",
     [](std::string hello) {
       return record(22, content_of(hello).substr(0, 9)) + record(22, none);
     },
     10},
    {"8446 5: another type between the parts",
     [](std::string hello) {
       return record(22, content_of(hello).substr(0, 9)) + record(20, "\1");
     },
     10},
    {"application data between the parts",
     [](std::string hello) { return record(22, content_of(hello).substr(0, 9)) + record(23, "x"); },
     10},
    {"8446 6.2: application data first", [](std::string) { return record(23, "x"); }, 10},
    {"an alert first", [](std::string) { return record(21, "\1\1"); }, 10},
    {"an unknown type first", [](std::string) { return record(25, "x"); }, 10},
    {"a Finished first", [](std::string) { return record(22, std::string("\x14\0\0\x0c", 4)); },
     10},
    {"a hello of 16 MiB", [](std::string) { return record(22, "\1\xff\xff\xff"); }, 47},
    {"8446 5.1: a record of more than 2^14",
     [](std::string) { return std::string("\x16\3\1\xff\xff", 5); }, 22},
    {"of one more than that", [](std::string) { return std::string("\x16\3\1\x40\1", 5); }, 22},
};

TEST(Clauses, OfTheFirstRecords) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const HelloRow& row : hellos) {
      SCOPED_TRACE(std::string(row.clause) + " " + std::to_string(version));
      Client client({.version_min = version, .version_max = version});
      Server server;
      server.take(row.change(client.step({})));
      if (row.alert >= 0) {
        EXPECT_EQ(plain_alert(server.give()), row.alert);
        EXPECT_EQ(server.session.phase(), Phase::failed);
        continue;
      }
      for (int round = 0; round < 4; ++round) server.take(client.step(server.give()));
      ASSERT_TRUE(client.is_open());
      two_ends::exchange(client, server);
    }
  }
}

// Instead of the client's second flight.
TEST(Clauses, OfTheSecondFlight) {
  struct Row {
    const char* clause;
    int version;
    std::string sent;
    const char* alert;
  };
  const Row rows[] = {
      {"8446 5.2: a record that does not open", TLS1_3_VERSION, record(23, std::string(40, 'x'), 3),
       "bad record mac"},
      {"8446 5: a handshake record in plain text", TLS1_3_VERSION,
       record(22, std::string("\x14\0\0\x20", 4) + std::string(32, 'x'), 3), "unexpected_message"},
      {"8446 5.2: a record of more than 2^14 + 1 bytes and its tag", TLS1_3_VERSION,
       record(23, std::string(16384 + 18, 'x'), 3), "record overflow"},
      {"8446 6.2: a second hello", TLS1_3_VERSION, Client({}).step({}), "unexpected_message"},
      {"5246 7.2.2: a Finished before its time", TLS1_2_VERSION,
       record(22, std::string("\x14\0\0\x0c", 4) + std::string(12, 'x'), 3), "unexpected_message"},
      {"application data before its time", TLS1_2_VERSION, record(23, "x", 3),
       "unexpected_message"},
      {"a second hello", TLS1_2_VERSION, Client({.version_max = TLS1_2_VERSION}).step({}),
       "unexpected_message"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.clause);
    Client client({.version_min = row.version, .version_max = row.version});
    Server server;
    server.take(client.step({}));
    client.step(server.give());
    server.take(row.sent);
    client.step(server.give());
    EXPECT_EQ(client.alert(), row.alert);
    EXPECT_EQ(server.session.phase(), Phase::failed);
  }
}

// An alert in plain text instead of the client's Finished ends it, without an answer.
TEST(Clauses, APlainAlertEndsTheHandshake) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client client({.version_min = version, .version_max = version});
    Server server;
    server.take(client.step({}));
    client.step(server.give());
    server.take(record(21, "\2\x30", 3));
    EXPECT_EQ(server.session.phase(), Phase::failed);
    EXPECT_EQ(server.give(), "");
  }
}

// RFC 5246 section 7.2.2: warnings do not end a handshake; so many that they only cost us do.
TEST(Clauses, WarningsInTheHandshake) {
  for (const int count : {4, 5}) {
    Client client({.version_max = TLS1_2_VERSION});
    Server server;
    server.take(client.step({}));
    const std::string flight = client.step(server.give());
    for (int i = 0; i < count; ++i) server.take(record(21, "\1\x2b", 3));
    if (count == 5) {
      EXPECT_EQ(plain_alert(server.give()), 10);
      continue;
    }
    server.take(flight);
    client.step(server.give());
    EXPECT_TRUE(client.is_open());
  }
}

// RFC 8422 section 5.11: a point that is none is an illegal parameter.
TEST(Clauses, BadPointsOfTheKeyExchange) {
  struct Row {
    std::string group, point;
    int alert;
  };
  const Row rows[] = {
      {"X25519:P-256", std::string(32, '\0'), 47},
      {"X25519:P-256", std::string(31, 'x'), 47},
      {"P-256", "\4" + std::string(64, 'x'), 47},
      {"P-256", "\2" + std::string(32, 'x'), 47},
      {"P-256", "", 47},
  };
  for (const Row& row : rows) {
    Client client({.version_max = TLS1_2_VERSION, .groups = row.group});
    Server server;
    server.take(client.step({}));
    client.step(server.give());
    const std::string body = static_cast<char>(row.point.size()) + row.point;
    const std::string head{16, 0, 0, static_cast<char>(body.size())};
    server.take(record(22, head + body, 3));
    EXPECT_EQ(plain_alert(server.give()), row.alert) << row.group << ' ' << row.point.size();
  }
}

// RFC 8446 section 4.2.3: who offers RSASSA-PSS takes it in TLS 1.2, too; and who offers both, what
// is older.
TEST(Clauses, PssInTls12) {
  const auto with_rsa = two_ends::context_of({"RSA-2048"});
  const auto open = [](const char* algorithms, const std::shared_ptr<const tls::Context>& context) {
    SCOPED_TRACE(algorithms);
    Client client({.version_max = TLS1_2_VERSION, .signature_algorithms = algorithms});
    Server server(context);
    talk(client, server);
    ASSERT_TRUE(client.is_open()) << client.alert();
    two_ends::exchange(client, server);
  };
  for (const char* algorithms :
       {"RSA-PSS+SHA256", "RSA-PSS+SHA384", "RSA-PSS+SHA512", "RSA-PSS+SHA512:RSA-PSS+SHA256",
        "ECDSA+SHA256:RSA-PSS+SHA384", "RSA-PSS+SHA256:RSA+SHA256", "RSA+SHA512"}) {
    open(algorithms, with_rsa);
  }
  open("RSA-PSS+SHA256:ECDSA+SHA256", two_ends::context());
}

// All of TLS 1.2's client in records of one byte: its key exchange, too.
TEST(Clauses, EveryPlainMessageMayComeInParts) {
  for (const std::size_t size : {1U, 3U, 50U}) {
    Client client({.version_max = TLS1_2_VERSION});
    Server server;
    for (int round = 0; round < 4; ++round) {
      const std::string said = client.step(server.give());
      bool sealed = false;
      for (std::string_view left = said; !left.empty();) {
        const std::size_t length = 5 + (static_cast<std::size_t>(left[3] & 0xff) << 8U) +
                                   static_cast<unsigned char>(left[4]);
        const std::string_view one = left.substr(0, length);
        sealed = sealed || one[0] == 20;
        server.take(sealed ? std::string(one) : fragments(content_of(one), size));
        left.remove_prefix(length);
      }
    }
    ASSERT_TRUE(client.is_open()) << size;
    EXPECT_EQ(server.session.phase(), Phase::open);
  }
}

struct Part {
  int type;
  std::string content;
};
struct OpenRow {
  const char* clause;
  std::vector<Part> parts;
  const char* alert;  // empty: the session goes on
};
std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}
const OpenRow open_rows[] = {
    {"8446 4.6.3: a key update", {{22, bytes({24, 0, 0, 1, 0})}}, ""},
    {"that asks for one", {{22, bytes({24, 0, 0, 1, 1})}}, ""},
    {"of any other value", {{22, bytes({24, 0, 0, 1, 2})}}, "illegal parameter"},
    {"too short", {{22, bytes({24, 0, 0, 0})}}, "decode error"},
    {"too long", {{22, bytes({24, 0, 0, 2, 0, 0})}}, "decode error"},
    {"8446 5.1: in two records", {{22, bytes({24, 0})}, {22, bytes({0, 1, 0})}}, ""},
    {"with data between its parts", {{22, bytes({24, 0})}, {23, "x"}}, "unexpected_message"},
    {"two in one record", {{22, bytes({24, 0, 0, 1, 0, 24, 0, 0, 1, 0})}}, "unexpected_message"},
    {"8446 5.1: an empty record of a handshake", {{22, ""}}, "unexpected_message"},
    {"8446 5.4: an empty alert", {{21, ""}}, "unexpected_message"},
    {"half an alert", {{21, bytes({1})}}, "decode error"},
    {"8446 4.1.2: a hello", {{22, bytes({1, 0, 0, 1, 0})}}, "unexpected_message"},
    {"8446 5: a change of ciphers", {{20, bytes({1})}}, "unexpected_message"},
    {"an unknown type", {{24, bytes({1})}}, "unexpected_message"},
    {"8446 5.4: empty records of data", {{23, ""}, {23, ""}, {23, "x"}, {23, ""}}, ""},
    {"8446 6.1: user_canceled", {{21, bytes({1, 90})}}, ""},
};

// Seals as the client would.
class Sealer {
 public:
  explicit Sealer(const Client& client) : records_(keys(client.traffic_secret())) {}
  std::string seal(const Part& part) {
    const std::array pieces{base::bytes_of(part.content)};
    std::string out(part.content.size() + records_.overhead_bytes(), '\0');
    records_.seal(static_cast<ContentType>(part.type), pieces,
                  reinterpret_cast<std::byte*>(out.data()));
    return out;
  }
  void update() { records_.update_send_key(); }

 private:
  static tls::TrafficKeys keys(const std::string& secret) {
    tls::TrafficKeys keys;
    std::ranges::copy(base::bytes_of(secret), keys.send.secret.begin());
    return keys;
  }
  tls::Records records_;
};

TEST(Clauses, OfAnOpenSession) {
  for (const OpenRow& row : open_rows) {
    SCOPED_TRACE(row.clause);
    Client client({.version_min = TLS1_3_VERSION, .suites_1_3 = "TLS_AES_128_GCM_SHA256"});
    Server server;
    talk(client, server);
    ASSERT_TRUE(client.is_open());
    Sealer sealer(client);
    for (const Part& part : row.parts) server.take(sealer.seal(part));
    if (*row.alert != '\0') {
      EXPECT_EQ(server.session.phase(), Phase::failed);
      client.step(server.give());
      EXPECT_EQ(client.alert(), row.alert);
      continue;
    }
    EXPECT_EQ(server.session.phase(), Phase::open);
    if (row.parts[0].content.starts_with('\x18')) sealer.update();
    server.received.clear();
    server.take(sealer.seal({23, "still here"}));
    EXPECT_EQ(server.received, "still here");
  }
}

// RFC 5246 section 7.2.2: a warning, after which the session goes on.
TEST(Clauses, RenegotiationIsDeclinedByAWarning) {
  Client client({.version_max = TLS1_2_VERSION});
  Server server;
  talk(client, server);
  ASSERT_TRUE(client.is_open());
  client.renegotiate();
  server.take(client.step({}));
  EXPECT_EQ(server.session.phase(), Phase::open);
  const std::string said = server.give();
  client.step(said);
  EXPECT_EQ(client.alert(), "no renegotiation");
  server.write("still here");
  client.step(server.give());
  EXPECT_EQ(server.session.phase(), Phase::open);
}

}  // namespace
