// SPDX-License-Identifier: ISC
// tests/tls/long_hellos_test.cpp: hellos that are longer than a record (tls/message_assembly.hpp).
//
// Method: OpenSSL's client offers many protocols; it checks that what the server hashed is what it
//         sent. Hellos made here show what memory they take.

#include <gtest/gtest.h>

#include <string>

#include "tests/tls/hello_parts.hpp"
#include "tests/tls/two_ends.hpp"

namespace {

using namespace hello_parts;
using test_client::Client;
using tls::Phase;
using two_ends::Server;

// RFC 8446 section 5.1: a hello may be as long as its fields let it be.
TEST(LongHellos, AreTaken) {
  for (const std::size_t protocols : {0U, 100U, 1000U, 3800U}) {
    for (const std::size_t cut : {std::size_t{1}, std::size_t{1000}, tls::record_content_max}) {
      for (const int wanted : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        if (cut == 1 && protocols > 1000) continue;
        SCOPED_TRACE(std::to_string(protocols) + " protocols, " + std::to_string(cut));
        std::string offer;
        for (std::size_t i = 0; i < protocols; ++i)
          offer += list("protocol " + number(i, 2) + "xxxxx", 1);
        offer += list("http/1.1", 1);
        Client client({.version_min = wanted, .version_max = wanted, .alpn = offer});
        Server server;
        tls::LongHellos room{64 * 1024};
        server.session.share(room);
        std::string message;
        const std::string hello = client.step({});
        for (std::size_t at = 0; at < hello.size();) {
          const std::size_t size = static_cast<std::size_t>(hello[at + 3] & 0xff) << 8U |
                                   static_cast<unsigned char>(hello[at + 4]);
          message += hello.substr(at + 5, size);
          at += 5 + size;
        }
        server.take(records_of(message, cut));
        for (int round = 0; round < 4; ++round) server.take(client.step(server.give()));
        ASSERT_TRUE(client.is_open());
        two_ends::exchange(client, server);
        EXPECT_EQ(room.bytes_left, 64U * 1024);
      }
    }
  }
}

// And resumes by its ticket, whose binder covers the rest of the hello; also after a
// HelloRetryRequest, whose hash covers the first one.
TEST(LongHellos, Resume) {
  std::string offer;
  for (std::size_t i = 0; i < 2000; ++i) offer += list("protocol " + number(i, 2), 1);
  offer += list("http/1.1", 1);
  for (const char* groups : {"X25519:P-256", "P-384:X25519"}) {
    std::shared_ptr<SSL_SESSION> ticket;
    for (const bool resumes : {false, true}) {
      Client client(
          {.version_min = TLS1_3_VERSION, .groups = groups, .alpn = offer, .resume = ticket});
      Server server;
      two_ends::talk(client, server);
      ASSERT_TRUE(client.is_open());
      EXPECT_EQ(client.is_resumed(), resumes);
      two_ends::exchange(client, server);
      ticket = client.session();
    }
  }
}

// What all of them may take together is bounded; those that fit a record are none of them.
TEST(LongHellos, ShareTheirMemory) {
  Parts parts = hello_1_3();
  parts.set(0xfafa, std::string(40000, 'x'));
  const std::string whole = records_of(parts.message());
  tls::LongHellos room{30000};
  Server first, second;
  first.session.share(room);
  second.session.share(room);
  first.take(whole.substr(0, whole.size() - 1));
  EXPECT_EQ(first.session.phase(), Phase::handshake);
  EXPECT_LT(room.bytes_left, 10000U);
  second.take(whole.substr(0, tls::record_header_bytes + tls::record_content_max));
  EXPECT_EQ(second.session.phase(), Phase::failed);
  EXPECT_EQ(second.give().back(), 80);
  Server small;
  small.session.share(room);
  small.take(records_of(hello_1_3().message()));
  EXPECT_TRUE(small.session.has_begun());
  first.session.abandon();
  EXPECT_EQ(room.bytes_left, 30000U);
  {
    Server third;
    third.session.share(room);
    third.take(whole);
    EXPECT_TRUE(third.session.has_begun());
    EXPECT_EQ(room.bytes_left, 30000U);
    Server fourth;
    fourth.session.share(room);
    fourth.take(whole.substr(0, 20000));
    EXPECT_LT(room.bytes_left, 10000U);
  }
  EXPECT_EQ(room.bytes_left, 30000U);
}

}  // namespace
