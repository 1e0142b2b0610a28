// SPDX-License-Identifier: ISC
// tests/tls/client_test.cpp: which servers tls::Client trusts, and what it says of the others.
//
// Method: our own server on kernel sockets, with certificates of a test's own authority; tables of
// chains that are good and of chains that are not.

#include <functional>

#include "tests/tls/client_world.hpp"

namespace {

using client_world::issue;
using client_world::Issued;
using Client = tls::Client<net::Sockets>;
using Over = tls::Over<net::Sockets>;

// What connecting to a server came to.
struct Outcome {
  bool connected = false;
  std::string protocol;
  std::string got;
  net::Error error{};
  tls::Problem problem;
};

Task<void> echo(Over::Listener& listener) {
  auto flow = co_await listener.accept();
  if (!flow) co_return;
  const std::string text = co_await receive(*flow, 5);
  static_cast<void>(co_await send(*flow, text));
  auto shut = co_await flow->shutdown(long_time);
  static_cast<void>(shut);
}

Task<void> visit(SocketsWorld& world, Over& over, Client& client, const std::string& host,
                 Outcome& out) {
  auto listener = over.listen(0);
  REQUIRE(listener.has_value());
  world.loop().spawn(echo(*listener));
  auto named = client.to(host);
  const net::Endpoint at = world.at(listener->port());
  auto flow = co_await named.connect(at, long_time);
  out.problem = named.problem();
  out.connected = flow.has_value();
  if (!flow) {
    out.error = flow.error();
    listener->close();
    co_await settle(world);
    co_return;
  }
  out.protocol = flow->protocol();
  EXPECT_TRUE(co_await send(*flow, "hello"));
  const net::Error end = co_await drain(*flow, out.got);
  EXPECT_EQ(end, net::Error::ended);
  flow->close();
  listener->close();
  co_await settle(world);
}

Outcome visited(const Issued& issued, const authority::Certificate& root,
                const std::string& host = "localhost",
                const std::vector<std::string>& protocols = {}) {
  SocketsWorld world;
  Over over(world.stack(), world.loop(), client_world::server_context(issued));
  Client client(world.stack(), world.loop(), client_world::client_context(root, protocols));
  Outcome out;
  run(world, visit(world, over, client, host, out));
  EXPECT_EQ(client.connection_count(), 0U);
  return out;
}

TEST(Client, TrustsChainsOfEveryKind) {
  struct Row {
    const char *kind, *between, *root;
  };
  const Row table[] = {{"P-256", "", "P-256"},         {"P-256", "P-384", "P-384"},
                       {"P-384", "P-384", "RSA-4096"}, {"RSA-2048", "RSA-2048", "RSA-4096"},
                       {"RSA-4096", "P-256", "P-384"}, {"P-256", "RSA-2048", "RSA-2048"}};
  for (const Row& row : table) {
    SCOPED_TRACE(std::string(row.kind) + " " + row.between + " " + row.root);
    const Issued issued = issue(row.kind, row.between, row.root);
    const Outcome out = visited(issued, issued.root);
    EXPECT_TRUE(out.connected) << out.problem.text;
    EXPECT_EQ(out.got, "hello");
    EXPECT_EQ(out.protocol, "");
    EXPECT_EQ(out.problem.why, tls::Refusal::none);
  }
}

TEST(Client, AgreesOnAProtocol) {
  const Issued issued = issue("P-256", "", "P-256");
  EXPECT_EQ(visited(issued, issued.root, "localhost", {"http/1.1"}).protocol, "http/1.1");
  const Outcome out = visited(issued, issued.root, "localhost", {"spdy/1", "smtp"});
  EXPECT_FALSE(out.connected);
  EXPECT_EQ(out.problem.why, tls::Refusal::no_protocol);
  EXPECT_EQ(out.problem.text, "localhost: the server speaks none of spdy/1, smtp");
}

TEST(Client, MatchesNamesAsRfc9525Says) {
  struct Row {
    std::string name, host;
    bool is_good;
  };
  const Row table[] = {
      {"DNS:ca.example", "ca.example", true},  {"DNS:ca.example", "CA.Example.", true},
      {"DNS:*.example", "ca.example", true},   {"DNS:*.example", "a.ca.example", false},
      {"DNS:*.example", "example", false},     {"DNS:ca.example", "other.example", false},
      {"IP:192.0.2.1", "192.0.2.1", true},     {"IP:192.0.2.1", "192.0.2.2", false},
      {"DNS:192.0.2.1", "192.0.2.1", false},   {"IP:2001:db8::1", "2001:db8::1", true},
      {"IP:2001:db8::1", "2001:db8::2", false}};
  for (const Row& row : table) {
    SCOPED_TRACE(row.name + " for " + row.host);
    // The common name counts for nothing.
    const Issued issued =
        issue("P-256", "", "P-256", {.subject = "other.example", .names = {row.name}});
    const Outcome out = visited(issued, issued.root, row.host);
    EXPECT_EQ(out.connected, row.is_good) << out.problem.text;
    if (row.is_good) continue;
    EXPECT_EQ(out.problem.why, tls::Refusal::wrong_name) << out.problem.text;
    EXPECT_TRUE(out.problem.text.starts_with(row.host + ": its certificate is for "));
  }
}

TEST(Client, SaysWhyItDoesNotTrust) {
  const Issued other = issue("P-256", "", "P-256");
  struct Row {
    const char* what;
    authority::Wanted wanted;
    bool from_other;
    tls::Refusal why;
    std::string said;
  };
  const std::int64_t day = 86400;
  const Row table[] = {
      {"expired",
       {.valid_from_s = -9 * day, .valid_to_s = -2 * day},
       false,
       tls::Refusal::expired,
       "its certificate expired on 20"},
      {"early",
       {.valid_from_s = 2 * day, .valid_to_s = 9 * day},
       false,
       tls::Refusal::not_yet_valid,
       "its certificate is not valid before 20"},
      {"unknown",
       {},
       true,
       tls::Refusal::unknown_issuer,
       "its certificate is signed by CN=root, which none of the roots"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.what);
    const Issued issued = issue("P-256", "", "P-256", row.wanted);
    const Outcome out = visited(issued, row.from_other ? other.root : issued.root);
    EXPECT_FALSE(out.connected);
    EXPECT_EQ(out.error, net::Error::reset);
    EXPECT_EQ(out.problem.why, row.why) << out.problem.text;
    EXPECT_NE(out.problem.text.find(row.said), std::string::npos) << out.problem.text;
  }
}

}  // namespace
