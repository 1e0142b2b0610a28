// SPDX-License-Identifier: ISC
// tests/tls/limits_test.cpp: what tls::Over bounds, and the records that it makes.
//
// Method: tls::Over on a stack of memory, in simulated time; OpenSSL's client at the other end of
// each connection, by hand. Nothing here depends on how fast the machine is.

#include <numeric>

#include "tests/net/worlds.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/client.hpp"
#include "tls/over.hpp"

namespace {

using Over = tls::Over<net::MemoryStack>;
using test_client::Client;
using Wire = std::shared_ptr<net::MemoryWire>;

std::shared_ptr<const tls::Context> context() {
  std::vector<tls::Identity> identities;
  identities.push_back(authority::identity("P-256"));
  return std::make_shared<tls::Context>(std::move(identities), authority::entropy());
}

// Hands bytes over until neither end has any.
Task<void> talk(MemoryWorld& world, net::MemoryWire& wire, Client& client) {
  for (int round = 0; round < 20; ++round) {
    const std::string to_server = client.step(wire.take());
    if (to_server.empty() && round > 0) co_return;
    wire.push(to_server);
    co_await settle(world);
  }
  ADD_FAILURE() << "the two talk without end";
}

Task<void> deadline(MemoryWorld& world) {
  Over over(world.stack(), world.loop(), context(), {.handshake_within = 10s});
  auto listener = over.listen(0);
  REQUIRE(listener.has_value());
  Client unfinished({});
  const std::string hello = unfinished.step({});
  struct Row {
    const char* what;
    std::string first;
    bool drips;  // a byte of the hello each second besides
  };
  const Row rows[] = {{"silent", "", false},
                      {"half a record", hello.substr(0, hello.size() / 2), false},
                      {"a hello and no Finished", hello, false},
                      {"a byte each second", "", true}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const Wire wire = world.stack().dial(listener->port());
    const base::Instant begin = world.loop().now();
    wire->push(row.first);
    for (std::size_t i = 0; row.drips && i < 10; ++i) {
      wire->push(hello.substr(i, 1));
      co_await world.loop().sleep_for(900ms);
    }
    co_await world.loop().sleep_until(begin + 10s - 1ms);
    EXPECT_EQ(over.handshake_count(), 1U);
    EXPECT_FALSE(wire->is_closed());
    co_await world.loop().sleep_until(begin + 10s + 5ms);
    EXPECT_EQ(over.handshake_count(), 0U);
    EXPECT_EQ(over.connection_count(), 0U);
    EXPECT_TRUE(wire->is_closed());
  }

  // An open session has passed it for good.
  const Wire wire = world.stack().dial(listener->port());
  Client client({});
  std::optional<Over::Flow> flow;
  world.loop().spawn(accept_into<Over>(*listener, flow));
  co_await talk(world, *wire, client);
  REQUIRE(flow.has_value());
  co_await world.loop().sleep_for(60s);
  client.write("late");
  wire->push(client.step({}));
  EXPECT_EQ(co_await receive(*flow, 4), "late");
  listener->close();
  co_await settle(world);
}

TEST(Limits, AHandshakeHasADeadlineHoweverItIsSpent) {
  MemoryWorld world;
  run(world, deadline(world));
}

Task<void> maximum(MemoryWorld& world) {
  Over over(world.stack(), world.loop(), context(), {.handshake_within = 10s, .handshakes_max = 3});
  auto listener = over.listen(0);
  REQUIRE(listener.has_value());
  std::vector<Wire> silent;
  for (int i = 0; i < 5; ++i) silent.push_back(world.stack().dial(listener->port()));
  co_await settle(world);
  EXPECT_EQ(over.handshake_count(), 3U);
  EXPECT_EQ(over.connection_count(), 3U) << "the others wait below, and cost nothing here";

  // Each that goes makes room for one.
  silent[0]->end();
  co_await settle(world);
  EXPECT_TRUE(silent[0]->is_closed());
  EXPECT_EQ(over.connection_count(), 3U);
  silent[1]->end();
  silent[2]->end();
  co_await settle(world);
  EXPECT_EQ(over.connection_count(), 2U);

  // Those whose handshake is over keep a place until they are accepted.
  std::vector<Wire> honest;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 2; ++i) {
    honest.push_back(world.stack().dial(listener->port()));
    clients.push_back(std::make_unique<Client>(test_client::Offer{}));
    co_await talk(world, *honest.back(), *clients.back());
  }
  EXPECT_TRUE(clients[0]->is_open());
  EXPECT_FALSE(clients[1]->is_open());
  EXPECT_EQ(over.handshake_count(), 3U);
  std::optional<Over::Flow> first;
  co_await accept_into<Over>(*listener, first);
  co_await talk(world, *honest[1], *clients[1]);
  EXPECT_TRUE(clients[1]->is_open());
  std::optional<Over::Flow> second;
  co_await accept_into<Over>(*listener, second);
  EXPECT_EQ(over.handshake_count(), 2U);
  EXPECT_EQ(over.connection_count(), 4U);

  // The deadlines give all the rest back.
  co_await world.loop().sleep_for(11s);
  EXPECT_EQ(over.handshake_count(), 0U);
  first.reset();
  second.reset();
  EXPECT_EQ(over.connection_count(), 0U);
  listener->close();
  co_await settle(world);
}

TEST(Limits, HandshakesAtOnceHaveAMaximum) {
  MemoryWorld world;
  run(world, maximum(world));
}

// What each record carries.
std::vector<std::size_t> contents(std::string_view raw, std::size_t overhead) {
  std::vector<std::size_t> sizes;
  while (!raw.empty()) {
    const auto header = tls::record_header(bytes_of(raw));
    if (!header || raw.size() < tls::record_header_bytes + header->length) {
      ADD_FAILURE() << "cut within a record";
      break;
    }
    EXPECT_EQ(header->type, 23) << "application data";
    sizes.push_back(header->length - overhead);
    raw.remove_prefix(tls::record_header_bytes + header->length);
  }
  return sizes;
}

Task<void> records(MemoryWorld& world, int version, std::size_t overhead) {
  Over over(world.stack(), world.loop(), context());
  auto listener = over.listen(0);
  REQUIRE(listener.has_value());
  const Wire wire = world.stack().dial(listener->port());
  Client client({.version_min = version,
                 .version_max = version,
                 .suites_1_3 = "TLS_AES_128_GCM_SHA256",
                 .suites_1_2 = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  std::optional<Over::Flow> flow;
  world.loop().spawn(accept_into<Over>(*listener, flow));
  co_await talk(world, *wire, client);
  REQUIRE(flow.has_value());

  using Sizes = std::vector<std::size_t>;
  struct Row {
    Sizes pieces;
    Sizes records;
  };
  constexpr std::size_t full = tls::record_content_max;
  static_assert(full == 16384);
  const Row rows[] = {
      {{1}, {1}},
      {{200, 1024}, {1224}},  // a head and a small body
      {{1, 2, 3, 4}, {10}},
      {{0, 5, 0, 6}, {11}},
      {{full}, {full}},
      {{full + 1}, {full, 1}},
      {{200, full}, {full, 200}},
      {{200, full - 200}, {full}},
      {{8000, 8000, 8000}, {full, 24000 - full}},
      {{300, 200000},
       {full, full, full, full, full, full, full, full, full, full, full, full,
        200300 - 12 * full}},
  };
  std::string text(300000, '.');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + i / 256);
  for (const Row& row : rows) {
    SCOPED_TRACE(::testing::PrintToString(row.pieces));
    std::vector<net::Piece> pieces;
    std::size_t at = 0;
    for (const std::size_t size : row.pieces) {
      pieces.push_back(net::Piece{bytes_of(std::string_view(text).substr(at, size))});
      at += size;
    }
    net::Result<void> sent = co_await flow->write(std::span<const net::Piece>(pieces), 1s);
    EXPECT_TRUE(sent.has_value());
    const std::string raw = wire->take();
    EXPECT_EQ(contents(raw, overhead), row.records);
    client.received.clear();
    client.step(raw);
    EXPECT_EQ(client.received, text.substr(0, at));
  }
  listener->close();
  flow.reset();
  co_await settle(world);
}

TEST(Limits, SmallPiecesShareARecordAndLargeOnesFillIt) {
  {
    MemoryWorld world;
    run(world, records(world, TLS1_3_VERSION, 16 + 1));  // tag and inner type
  }
  {
    MemoryWorld world;
    run(world, records(world, TLS1_2_VERSION, 8 + 16));  // explicit nonce and tag
  }
}

}  // namespace
