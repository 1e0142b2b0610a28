// SPDX-License-Identifier: ISC
// tests/tls/tickets_test.cpp: session tickets over hours: when they resume, and when their keys go.
//
// Method: this program's time is simulated, and moves when a test says so: clock_gettime(2) and
// time(2) are defined here, so that mbedTLS, which makes the tickets, and OpenSSL, the client, see
// the same hours pass.

#include <gtest/gtest.h>

#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

#include "tests/tls/authority.hpp"
#include "tests/tls/client.hpp"
#include "tls/session.hpp"

namespace {

std::time_t shift_s = 0;

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* out) noexcept {
  const long answer = syscall(SYS_clock_gettime, clock, out);
  if (answer == 0) out->tv_sec += shift_s;
  return static_cast<int>(answer);
}
extern "C" std::time_t time(std::time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

namespace {

using test_client::Client;
using Ticketed = std::shared_ptr<SSL_SESSION>;

constexpr double lifetime_h = 6;
static_assert(tls::Context::ticket_lifetime_s == 3600 * lifetime_h);

void be_at(double hours) { shift_s = static_cast<std::time_t>(hours * 3600); }

std::shared_ptr<const tls::Context> context() {
  std::vector<tls::Identity> identities;
  identities.push_back(authority::identity("P-256"));
  return std::make_shared<tls::Context>(std::move(identities), authority::entropy());
}

struct Outcome {
  bool open = false;
  bool resumed = false;
  Ticketed ticket = {};
  std::string server_got = {};
};

// One connection, in memory.
Outcome connect(const std::shared_ptr<const tls::Context>& with, int version,
                const Ticketed& resume = {}, std::string_view early = {}, const char* suite = "",
                const char* groups = "") {
  const bool is_1_3 = version == TLS1_3_VERSION;
  Client client({.version_min = version,
                 .version_max = version,
                 .suites_1_3 = is_1_3 ? suite : "",
                 .suites_1_2 = is_1_3 ? "" : suite,
                 .groups = groups,
                 .resume = resume});
  if (!early.empty()) client.write_early(early);
  tls::Session server(with);
  std::vector<std::byte> scratch(tls::Session::scratch_bytes);
  Outcome outcome;
  std::string to_client;
  for (int round = 0; round < 6; ++round) {
    const std::string to_server = client.step(to_client);
    base::Bytes content = server.receive(base::bytes_of(to_server), scratch);
    while (!content.empty()) {
      outcome.server_got += base::text_of(content);
      content = server.receive({}, scratch);
    }
    to_client = base::text_of(server.take_pending());
  }
  outcome.open = client.is_open() && server.phase() == tls::Phase::open;
  outcome.resumed = client.is_resumed();
  outcome.ticket = client.session();
  EXPECT_FALSE(client.was_early_taken());
  return outcome;
}

// mbedTLS begins a ticket with the name of its key.
std::string key_name(const Ticketed& ticket) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket(ticket.get(), &bytes, &size);
  EXPECT_GT(size, 4U);
  return {reinterpret_cast<const char*>(bytes), 4};
}

TEST(Tickets, ResumeAcrossARotationAndNoLonger) {
  struct Row {
    double issued_h;
    double used_h;
    bool resumed;
  };
  // Keys change at 6 and at 12 hours; a ticket is good for 6.
  const Row rows[] = {{0, 0, true},    {0, 5.9, true},   {5.9, 6.1, true}, {5, 10.9, true},
                      {0, 6.1, false}, {5, 11.1, false}, {0, 12.1, false}, {0, 100, false}};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(std::to_string(version) + ": " + std::to_string(row.issued_h) + " to " +
                   std::to_string(row.used_h));
      be_at(0);
      const auto with = context();
      be_at(row.issued_h);
      const Outcome first = connect(with, version);
      ASSERT_TRUE(first.open);
      EXPECT_FALSE(first.resumed);
      ASSERT_TRUE(first.ticket);
      be_at(row.used_h);
      if (!row.resumed) {
        // A client that keeps to the ticket's lifetime would not even ask.
        SSL_SESSION_set_time(first.ticket.get(), time(nullptr) - 60);
      }
      const Outcome second = connect(with, version, first.ticket);
      EXPECT_TRUE(second.open) << "a ticket that is refused costs a full handshake, no more";
      EXPECT_EQ(second.resumed, row.resumed);
    }
  }
  be_at(0);
}

TEST(Tickets, KeysRotate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    be_at(0);
    const auto with = context();
    std::vector<std::string> names;
    for (const double at_h : {0.0, 5.9, 6.1, 12.0, 12.2}) {
      be_at(at_h);
      names.push_back(key_name(connect(with, version).ticket));
    }
    EXPECT_EQ(names[0], names[1]);
    EXPECT_NE(names[1], names[2]);
    EXPECT_EQ(names[2], names[3]);
    EXPECT_NE(names[3], names[4]);
    EXPECT_NE(names[0], names[4]);
  }
  be_at(0);
}

// RFC 8446 section 4.2.11, RFC 5246 section 7.4.1.3: with another suite it is a full handshake.
TEST(Tickets, ResumeWithTheirOwnSuiteOnly) {
  const char *aes_128_1_3 = "TLS_AES_128_GCM_SHA256", *aes_256_1_3 = "TLS_AES_256_GCM_SHA384",
             *aes_128 = "ECDHE-ECDSA-AES128-GCM-SHA256",
             *chacha20 = "ECDHE-ECDSA-CHACHA20-POLY1305";
  const std::string both_1_3 = std::string(aes_128_1_3) + ":" + aes_256_1_3;
  const std::string both = std::string(chacha20) + ":" + aes_128;
  struct Row {
    int version;
    const char* first;
    std::string then;
    bool resumed;
  };
  const Row rows[] = {{TLS1_3_VERSION, aes_256_1_3, aes_256_1_3, true},
                      {TLS1_3_VERSION, aes_256_1_3, both_1_3, false},
                      {TLS1_3_VERSION, aes_128_1_3, both_1_3, true},
                      {TLS1_3_VERSION, aes_128_1_3, aes_256_1_3, false},
                      {TLS1_2_VERSION, aes_128, both, true},
                      {TLS1_2_VERSION, chacha20, both, true},
                      {TLS1_2_VERSION, aes_128, chacha20, false}};
  const auto with = context();
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.first) + ", then " + row.then);
    const Outcome first = connect(with, row.version, {}, {}, row.first);
    ASSERT_TRUE(first.open && first.ticket);
    const Outcome second = connect(with, row.version, first.ticket, {}, row.then.c_str());
    EXPECT_TRUE(second.open);
    EXPECT_EQ(second.resumed, row.resumed);
  }
}

// RFC 8446 section 4.6.1: a ticket of TLS 1.3 is a PSK of TLS 1.3.
TEST(Tickets, OnlyThoseOfTls12ResumeInTls12) {
  const auto with = context();
  const auto suite_of = [&](const Ticketed& ticket) {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(ticket.get(), &bytes, &size);
    return with->ticket_suite(base::Bytes(reinterpret_cast<const std::byte*>(bytes), size));
  };
  EXPECT_EQ(suite_of(connect(with, TLS1_3_VERSION).ticket), 0);
  EXPECT_NE(suite_of(connect(with, TLS1_2_VERSION).ticket), 0);
  EXPECT_EQ(suite_of(connect(context(), TLS1_2_VERSION).ticket), 0) << "of another server";
  EXPECT_EQ(with->ticket_suite({}), 0);
}

TEST(Tickets, ZeroRttIsOff) {
  const auto with = context();
  const Outcome first = connect(with, TLS1_3_VERSION);
  ASSERT_TRUE(first.ticket);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(first.ticket.get()), 0U) << "a ticket offers it";
  // A client that sends it all the same is not heard, as what it said may be a replay; and it is
  // served.
  SSL_SESSION_set_max_early_data(first.ticket.get(), 1000);
  const Outcome second = connect(with, TLS1_3_VERSION, first.ticket, "GET /early HTTP/1.1\r\n\r\n");
  EXPECT_EQ(second.server_got, "");
  EXPECT_TRUE(second.open);
}

// RFC 8446 section 4.2.10.
TEST(Tickets, EarlyDataOfATicketFromElsewhereIsSkipped) {
  const auto elsewhere = context();
  struct Row {
    const char* what;
    std::size_t early_bytes;
    const char* groups;
    bool served;
  };
  const Row rows[] = {
      {"little", 20, "", true},
      {"much", 16384, "", true},
      {"another key share is asked for", 5000, "X448:P-256", true},
      {"too much", 100'000, "", false},
      {"too much, and another key share", 100'000, "X448:P-256", false},
  };
  for (const char* suite :
       {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(std::string(suite) + " " + row.what);
      Outcome first = connect(elsewhere, TLS1_3_VERSION, {}, {}, suite);
      ASSERT_TRUE(first.ticket);
      SSL_SESSION_set_max_early_data(first.ticket.get(), 1'000'000);
      const Outcome second = connect(context(), TLS1_3_VERSION, first.ticket,
                                     std::string(row.early_bytes, 'e'), suite, row.groups);
      EXPECT_EQ(second.server_got, "");
      EXPECT_EQ(second.open, row.served);
      EXPECT_FALSE(second.resumed);
    }
  }
}

}  // namespace
