// SPDX-License-Identifier: ISC
// tests/tls/challenges_test.cpp: a listener before its first certificate, and TLS-ALPN-01.
//
// Method: tls::Over on kernel sockets with a shared context; OpenSSL as the client, by what it says
// of a handshake and by the certificate that it was shown.

#include <string>
#include <vector>

#include "tests/tls/client.hpp"
#include "tests/tls/client_world.hpp"

namespace {

using Over = tls::Over<net::Sockets>;

const std::string acme_wire =
    "\x0a"
    "acme-tls/1";

struct Seen {
  bool is_open = false;
  bool was_ended = false;  // by close_notify, or the connection's end
  std::string alert;
  std::string name;  // of the certificate
  std::string protocol;
};

// What a client of this offer sees.
Task<void> look(SocketsWorld& world, std::uint16_t port, test_client::Offer offer, Seen& seen) {
  test_client::Client client(offer);
  const net::Endpoint at = world.at(port);
  auto flow = co_await world.stack().connect(at, long_time);
  REQUIRE(flow.has_value());
  std::string out = client.step({});
  for (int i = 0; i < 50; ++i) {
    if (!out.empty() && !co_await send(*flow, out)) break;
    auto in = co_await flow->read(65536, 2s);
    if (!in) break;
    const std::string bytes(base::text_of(*in));
    out = client.step(bytes);
    seen.is_open = seen.is_open || client.is_open();
    if (client.was_told_end()) seen.was_ended = true;
  }
  seen.protocol = client.alpn();
  seen.alert = client.alert();
  if (seen.is_open) seen.name = client.certificate_name();
}

struct Served {
  SocketsWorld world;
  tls::SharedContext shared;
  Over over{world.stack(), world.loop(), nullptr, {.shared_context = &shared}};
};

// Sees with each offer in turn, beside a server that counts what it accepts.
Task<void> look_at_all(Served& served, std::vector<test_client::Offer> offers,
                       std::vector<Seen>& seen, int& accepted) {
  auto listener = served.over.listen(0);
  REQUIRE(listener.has_value());
  auto count = [](Over::Listener& from, int& accepted_count) -> Task<void> {
    for (;;) {
      auto flow = co_await from.accept();
      if (!flow) co_return;
      ++accepted_count;
    }
  };
  served.world.loop().spawn(count(*listener, accepted));
  for (const test_client::Offer& offer : offers) {
    seen.emplace_back();
    co_await look(served.world, listener->port(), offer, seen.back());
  }
  listener->close();
  co_await settle(served.world);
}

std::vector<Seen> seen_by(Served& served, std::vector<test_client::Offer> offers, int& accepted) {
  std::vector<Seen> seen;
  run(served.world, look_at_all(served, std::move(offers), seen, accepted));
  return seen;
}

TEST(Expected, WithoutACertificateHandshakesAreRefusedByAnAlert) {
  Served served;
  EXPECT_FALSE(served.over.listen(0).has_value()) << "none is expected";
  served.shared.expect();
  int accepted = 0;
  const auto none = seen_by(served, {{}, {.version_max = TLS1_2_VERSION}}, accepted);
  for (const Seen& one : none) {
    EXPECT_FALSE(one.is_open);
    EXPECT_EQ(one.alert, "internal error");
  }
  EXPECT_EQ(accepted, 0);
  EXPECT_FALSE(served.shared.is_set());
  served.shared.set(client_world::server_context(client_world::issue("P-256", "", "P-256")));
  EXPECT_TRUE(served.shared.is_set());
  EXPECT_FALSE(served.shared.is_public()) << "localhost is only this machine's";
  EXPECT_TRUE(seen_by(served, {{}}, accepted)[0].is_open);
  EXPECT_EQ(accepted, 1);
}

// A certificate as RFC 8737 section 3 has it.
client_world::Issued challenge_for(const std::string& host) {
  client_world::Issued out;
  const authority::Key key = authority::make_key("P-256");
  out.chain = authority::pem(authority::make_certificate(
      key, {.names = {"DNS:" + host}, .acme_identifier = std::string(64, '5')}));
  out.key = authority::pem(key);
  return out;
}

void set_challenge(tls::SharedContext& shared, const std::string& host) {
  const client_world::Issued made = challenge_for(host);
  const auto set =
      shared.challenges().set(host, {"challenge", base::bytes_of(made.chain)},
                              {"its key", base::bytes_of(made.key)}, authority::entropy());
  ASSERT_TRUE(set.has_value()) << set.error();
}

TEST(Challenges, AreShownToWhomTheyAreForOnly) {
  Served served;
  served.shared.set(client_world::server_context(client_world::issue("P-256", "", "P-256")));
  set_challenge(served.shared, "www.example.org");
  const std::string both = acme_wire + "\x08http/1.1";
  int accepted = 0;
  const auto seen =
      seen_by(served,
              {{.name = "WWW.example.org", .alpn = acme_wire},
               {.name = "other.example.org", .alpn = acme_wire},
               {.name = "www.example.org", .alpn = both},
               {.name = "www.example.org"},
               {.version_max = TLS1_2_VERSION, .name = "www.example.org", .alpn = acme_wire}},
              accepted);
  for (const Seen* one : {&seen[0], &seen[4]}) {
    EXPECT_TRUE(one->is_open);
    EXPECT_TRUE(one->was_ended) << "nothing may follow";
    EXPECT_EQ(one->protocol, "acme-tls/1");
    EXPECT_EQ(one->name, "www.example.org");
  }
  EXPECT_FALSE(seen[1].is_open);
  EXPECT_EQ(seen[1].alert, "no application protocol");
  EXPECT_EQ(seen[2].name, "localhost");
  EXPECT_EQ(seen[2].protocol, "http/1.1");
  EXPECT_EQ(seen[3].name, "localhost");
  EXPECT_EQ(accepted, 2) << "a challenge's connection never gets to a server";
}

TEST(Challenges, NeedNoCertificateAndEnd) {
  Served served;
  served.shared.expect();
  set_challenge(served.shared, "www.example.org");
  const test_client::Offer offer{.name = "www.example.org", .alpn = acme_wire};
  int accepted = 0;
  EXPECT_TRUE(seen_by(served, {offer}, accepted)[0].is_open);
  served.shared.challenges().remove("WWW.example.org");
  EXPECT_FALSE(seen_by(served, {offer}, accepted)[0].is_open);
  EXPECT_EQ(accepted, 0);
}

TEST(Challenges, AreBounded) {
  tls::Challenges challenges;
  const client_world::Issued made = challenge_for("www.example.org");
  const auto set = [&](const std::string& host) {
    return challenges
        .set(host, {"challenge", base::bytes_of(made.chain)}, {"its key", base::bytes_of(made.key)},
             authority::entropy())
        .has_value();
  };
  for (std::size_t i = 0; i < tls::Challenges::count_max; ++i) {
    ASSERT_TRUE(set(std::to_string(i) + ".example.org"));
  }
  EXPECT_FALSE(set("one.more.example.org"));
  EXPECT_TRUE(set("0.example.org")) << "in place of what is there";
}

// The extension is critical, so an Identity for serving refuses it.
TEST(Challenges, ServeNothingElse) {
  const client_world::Issued made = challenge_for("www.example.org");
  EXPECT_FALSE(tls::Identity::make({"cert", base::bytes_of(made.chain)},
                                   {"key", base::bytes_of(made.key)}, authority::entropy()));
}

}  // namespace
