// SPDX-License-Identifier: ISC
// tests/tls/session_test.cpp: tls::Session against OpenSSL's client, in memory.
//
// Method: both ends without input and output, bytes handed from one to the other: whole, or one at
// a time. Tables of versions, suites, groups and keys; then the ends of a connection, key updates,
// resumption and what must be refused.

#include "tls/session.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

#include "tests/tls/authority.hpp"
#include "tests/tls/client.hpp"
#include "tests/tls/two_ends.hpp"
#include "tls/buffers.hpp"
#include "tls/client_hello.hpp"

namespace {

using base::bytes_of;
using test_client::Client;
using test_client::Offer;
using tls::Phase;
using tls::Session;
using two_ends::context;
using two_ends::context_of;
using two_ends::exchange;
using two_ends::Server;
using two_ends::talk;

TEST(Session, EveryVersionSuiteGroupAndKey) {
  struct Row {
    int version;
    const char* suite;
    const char* group;
    const char* key;
  };
  std::vector<Row> rows;
  for (const char* group : {"X25519", "P-256"}) {
    for (const char* key : {"P-256", "P-384", "RSA-2048"}) {
      for (const char* suite :
           {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
        rows.push_back({TLS1_3_VERSION, suite, group, key});
      }
      const bool rsa = std::string(key).starts_with("RSA");
      for (const char* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256",
                                "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"}) {
        if (std::string(suite).starts_with("ECDHE-RSA") != rsa) continue;
        rows.push_back({TLS1_2_VERSION, suite, group, key});
      }
    }
  }
  for (const char* key : {"P-256", "P-384", "RSA-2048"}) {
    const auto with = context_of({key});
    for (const Row& row : rows) {
      if (std::string(row.key) != key) continue;
      const bool rsa = std::string(row.key).starts_with("RSA");
      SCOPED_TRACE(std::string(row.suite) + " " + row.group + " " + row.key);
      // TLS 1.2 names the curve of an ECDSA key among the groups too.
      std::string groups = row.group;
      if (row.version == TLS1_2_VERSION && !rsa && groups != row.key) {
        groups += std::string(":") + row.key;
      }
      Client client({.version_min = row.version,
                     .version_max = row.version,
                     .suites_1_3 = row.version == TLS1_3_VERSION ? row.suite : "",
                     .suites_1_2 = row.version == TLS1_2_VERSION ? row.suite : "",
                     .groups = groups});
      Server server(with);
      talk(client, server);
      ASSERT_TRUE(client.is_open());
      ASSERT_EQ(server.session.phase(), Phase::open);
      EXPECT_EQ(client.suite(), row.suite);
      exchange(client, server);
    }
  }
}

TEST(Session, TheServersOrderOfSuites) {
  struct Row {
    const char* what;
    int version;
    const char* offered;
    const char* taken;
  };
  const char* const gcm_3 = "TLS_AES_128_GCM_SHA256";
  const char* const chacha_3 = "TLS_CHACHA20_POLY1305_SHA256";
  const Row rows[] = {
      {"OpenSSL's own order", TLS1_3_VERSION, "", gcm_3},
      {"256 first", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", gcm_3},
      {"ChaCha20 second", TLS1_3_VERSION,
       "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", gcm_3},
      {"ChaCha20 first", TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
       chacha_3},
      {"without 128", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
       "TLS_AES_256_GCM_SHA384"},
      {"1.2, OpenSSL's own", TLS1_2_VERSION, "", "ECDHE-ECDSA-AES128-GCM-SHA256"},
      {"1.2, ChaCha20 first", TLS1_2_VERSION,
       "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
       "ECDHE-ECDSA-CHACHA20-POLY1305"},
      {"1.2, ChaCha20 second", TLS1_2_VERSION,
       "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305",
       "ECDHE-ECDSA-AES256-GCM-SHA384"},
  };
  if (!crypto::AesGcm::is_supported()) GTEST_SKIP() << "this processor has no AES instructions";
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Client client({.version_max = row.version,
                   .suites_1_3 = row.version == TLS1_3_VERSION ? row.offered : "",
                   .suites_1_2 = row.version == TLS1_2_VERSION ? row.offered : ""});
    Server server;
    talk(client, server);
    EXPECT_EQ(client.suite(), row.taken);
  }
  // Without the instructions ChaCha20 is the quicker one.
  const std::string hello = Client({}).step({});
  EXPECT_EQ(tls::preference_for(bytes_of(hello), false), tls::Preference::chacha20);
  EXPECT_EQ(tls::preference_for(bytes_of(hello), true), tls::Preference::aes_128);
  for (std::size_t size = 0; size < 44; ++size) {
    EXPECT_EQ(tls::preference_for(bytes_of(hello).first(size), true), tls::Preference::none);
  }
}

TEST(Session, WhatIsOldOrWeakIsRefused) {
  struct Row {
    const char* what;
    Offer offer;
  };
  const Row rows[] = {
      {"TLS 1.1", {.version_min = TLS1_VERSION, .version_max = TLS1_1_VERSION}},
      {"TLS 1.0", {.version_min = TLS1_VERSION, .version_max = TLS1_VERSION}},
      {"CBC",
       {.version_max = TLS1_2_VERSION,
        .suites_1_2 = "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"}},
      {"static RSA", {.version_max = TLS1_2_VERSION, .suites_1_2 = "AES128-GCM-SHA256:AES128-SHA"}},
      {"DHE", {.version_max = TLS1_2_VERSION, .suites_1_2 = "DHE-RSA-AES128-GCM-SHA256"}},
      {"CCM", {.version_max = TLS1_2_VERSION, .suites_1_2 = "ECDHE-ECDSA-AES128-CCM"}},
      {"P-521 only", {.groups = "P-521"}},
      {"h2 only", {.alpn = "\2h2"}},
  };
  for (const auto& with : {context_of({"P-256", "RSA-2048"})}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.what);
      Client client(row.offer);
      Server server(with);
      talk(client, server);
      EXPECT_FALSE(client.is_open());
      EXPECT_TRUE(client.has_failed());
      EXPECT_EQ(server.session.phase(), Phase::failed);
      EXPECT_FALSE(client.alert().empty()) << "the client should be told";
    }
  }
}

TEST(Session, ResumesInBothVersions) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    std::shared_ptr<SSL_SESSION> session;
    for (int i = 0; i < 3; ++i) {
      Client client({.version_min = version, .version_max = version, .resume = session});
      Server server;
      talk(client, server);
      ASSERT_TRUE(client.is_open());
      EXPECT_EQ(client.is_resumed(), i > 0);
      exchange(client, server);
      if (client.session()) session = client.session();
      ASSERT_TRUE(session);
    }
    // Another server's ticket: a full handshake, not a failure.
    Client client({.version_min = version, .version_max = version, .resume = session});
    Server server(context_of({"P-256"}));
    talk(client, server);
    ASSERT_TRUE(client.is_open());
    EXPECT_FALSE(client.is_resumed());
  }
}

TEST(Session, KeyUpdatesInBothDirections) {
  for (const char* suite :
       {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    SCOPED_TRACE(suite);
    Client client({.suites_1_3 = suite});
    Server server;
    talk(client, server);
    ASSERT_TRUE(client.is_open());
    for (const bool ask : {false, true, true, false}) {
      client.update_key(ask);
      exchange(client, server);
      ASSERT_FALSE(client.has_failed());
    }
  }
}

TEST(Session, BytesOneByOneAndAllAtOnce) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t chunk : std::array<std::size_t, 4>{1, 2, 7, 1000}) {
      Client client({.version_min = version, .version_max = version});
      Server server;
      talk(client, server, chunk);
      ASSERT_TRUE(client.is_open());
      client.write("one");
      client.write("two");
      client.write("three");
      talk(client, server, chunk);
      EXPECT_EQ(server.received, "onetwothree");
    }
  }
}

TEST(Session, TheEndIsToldAndTakenInOrder) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    Client client({.version_min = version, .version_max = version});
    Server server;
    talk(client, server);
    client.write("last");
    client.close_notify();
    talk(client, server);
    EXPECT_EQ(server.received, "last");
    EXPECT_EQ(server.session.phase(), Phase::ended);
    server.write("answer");
    server.sealed += server.give();
    server.session.close_notify();
    server.session.close_notify();
    talk(client, server);
    EXPECT_EQ(client.received, "answer");
    EXPECT_TRUE(client.was_told_end());
    EXPECT_FALSE(client.has_failed());
  }
}

TEST(Session, PlainHttpIsAnsweredPlainly) {
  for (const char* request : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /x HTTP/1.0\r\n\r\n",
                              "HEAD / HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n\r\n"}) {
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{1000}}) {
      Server server;
      const std::string_view text = request;
      for (std::size_t at = 0; at < text.size(); at += chunk) server.take(text.substr(at, chunk));
      EXPECT_TRUE(server.session.met_plain_http());
      EXPECT_EQ(server.session.phase(), Phase::failed);
      const std::string answer = server.give();
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
      EXPECT_NE(answer.find("https://"), std::string::npos);
      const std::size_t body = answer.find("\r\n\r\n") + 4;
      EXPECT_NE(answer.find("Content-Length: " + std::to_string(answer.size() - body) + "\r\n"),
                std::string::npos);
    }
  }
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool allocator_counts = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool allocator_counts = false;
#else
constexpr bool allocator_counts = true;
#endif
#else
constexpr bool allocator_counts = true;
#endif

// The server's read sizes follow the peer's segments, so the peer chooses where its records are
// cut. Each read here but the last ends inside a record.
TEST(Session, RecordsCutAnywhereAreNotKept) {
  if (!allocator_counts) GTEST_SKIP() << "SKIPPED: the sanitizer's allocator does not count";
  constexpr int records = 10'000;
  constexpr std::size_t growth_max = 64 * 1024;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t size : std::array<std::size_t, 3>{1, 700, 5000}) {
      SCOPED_TRACE(std::to_string(version) + " " + std::to_string(size));
      Client client({.version_min = version, .version_max = version});
      Server server;
      talk(client, server);
      ASSERT_TRUE(client.is_open());
      const std::string text = two_ends::pattern(size);
      std::string sealed;
      std::size_t received = 0;
      std::size_t largest = 0;
      const std::size_t before = mallinfo2().uordblks;
      for (int i = 0; i < records; ++i) {
        client.write(text);
        sealed += client.step({});
        // All but the last bytes of the newest record; how many differs each time.
        const std::size_t held_back = 1 + static_cast<std::size_t>(i) * 7 % (size + 16);
        server.take(std::string_view(sealed).substr(0, sealed.size() - held_back));
        sealed.erase(0, sealed.size() - held_back);
        received += server.received.size();
        server.received.clear();
        largest = std::max(largest, mallinfo2().uordblks);
      }
      server.take(sealed);
      received += server.received.size();
      EXPECT_EQ(received, records * size);
      EXPECT_LT(largest, before + growth_max);
    }
  }
}

TEST(Session, AnIdleConnectionHoldsNoBuffers) {
  if (!allocator_counts) GTEST_SKIP() << "SKIPPED: the sanitizer's allocator does not count";
  constexpr std::size_t count = 64;
  constexpr std::size_t bytes_max = 4096;
  std::vector<std::unique_ptr<Session>> sessions;
  tls::Buffers buffers;
  for (std::size_t i = 0; i < count; ++i) {
    Client client({});
    sessions.push_back(std::make_unique<Session>(context()));
    std::vector<std::byte> out;
    for (int round = 0; round < 3; ++round) {
      const std::string in = client.step(base::text_of(out));
      const auto content = sessions.back()->receive(bytes_of(in), buffers.scratch());
      ASSERT_TRUE(content.empty());
      out = sessions.back()->take_pending();
    }
    ASSERT_EQ(sessions.back()->phase(), Phase::open);
  }
  const std::size_t with_sessions = mallinfo2().uordblks;
  for (auto& session : sessions) session.reset();
  const std::size_t held = with_sessions - mallinfo2().uordblks;
  RecordProperty("bytes_per_idle_session", static_cast<int>(held / count));
  std::printf("an idle session holds %zu bytes\n", held / count);
  EXPECT_LT(held / count, bytes_max);
}

}  // namespace
