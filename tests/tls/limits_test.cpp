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
    EXPECT_EQ(over.opening_count(), row.first == hello ? 0U : 1U);
    EXPECT_EQ(over.handshake_count(), row.first == hello ? 1U : 0U);
    EXPECT_FALSE(wire->is_closed());
    co_await world.loop().sleep_until(begin + 10s + 5ms);
    EXPECT_EQ(over.opening_count(), 0U);
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

// The wires of those that the server has closed.
std::vector<std::size_t> closed(const std::vector<Wire>& wires) {
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < wires.size(); ++i) {
    if (wires[i]->is_closed()) which.push_back(i);
  }
  return which;
}
using Which = std::vector<std::size_t>;

Task<bool> is_served(MemoryWorld& world, Over::Listener& listener) {
  const Wire wire = world.stack().dial(listener.port());
  Client client({});
  co_await talk(world, *wire, client);
  if (!client.is_open()) co_return false;
  std::optional<Over::Flow> flow;
  co_await accept_into<Over>(listener, flow);
  client.write("hello");
  wire->push(client.step({}));
  const std::string got = co_await receive(*flow, 5);
  co_return got == "hello";
}

// A place is taken by a whole first record, and not before.
Task<void> places(MemoryWorld& world) {
  Over over(world.stack(), world.loop(), context(), {.openings_max = 4, .handshakes_max = 3});
  auto listener = over.listen(0);
  REQUIRE(listener.has_value());
  Client unfinished({});
  const std::string hello = unfinished.step({});
  struct Row {
    const char* what;
    std::string first;
    std::size_t places;
    std::size_t openings;
    Which closed;  // of eight, after all have come
  };
  const Row rows[] = {
      {"silent", "", 0, 4, {0, 1, 2, 3}},
      {"one byte", hello.substr(0, 1), 0, 4, {0, 1, 2, 3}},
      {"half a record", hello.substr(0, hello.size() / 2), 0, 4, {0, 1, 2, 3}},
      {"a record without its last byte", hello.substr(0, hello.size() - 1), 0, 4, {0, 1, 2, 3}},
      {"a whole record", hello, 3, 0, {0, 1, 2, 3, 4}},
      {"refused, and not gone", std::string("\x16\x09\x01\0\1x", 6), 0, 4, {0, 1, 2, 3}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    std::vector<Wire> wires;
    for (int i = 0; i < 8; ++i) {
      wires.push_back(world.stack().dial(listener->port()));
      wires.back()->push(row.first);
      co_await settle(world);
    }
    EXPECT_EQ(over.handshake_count(), row.places);
    EXPECT_EQ(over.opening_count(), row.openings);
    EXPECT_EQ(closed(wires), row.closed);
    EXPECT_TRUE(co_await is_served(world, *listener));
    for (const Wire& wire : wires) wire->break_off();
    co_await settle(world);
    EXPECT_EQ(over.connection_count(), 0U);
  }
  listener->close();
  co_await settle(world);
}

TEST(Limits, AHandshakePlaceIsTakenByAWholeRecord) {
  MemoryWorld world;
  run(world, places(world));
}

// What counts is when the server last answered, not when the client last sent something.
Task<void> longest_wait(MemoryWorld& world) {
  Over over(world.stack(), world.loop(), context(), {.handshakes_max = 3});
  auto listener = over.listen(0);
  REQUIRE(listener.has_value());
  std::vector<Wire> wires;
  // The first answers a request for another key share, which begins its wait anew.
  Client retries({.version_min = TLS1_3_VERSION, .groups = "X448:P-256"});
  wires.push_back(world.stack().dial(listener->port()));
  wires.back()->push(retries.step({}));
  co_await settle(world);
  Client unfinished({});
  const std::string hello = unfinished.step({});
  for (int i = 0; i < 2; ++i) {
    wires.push_back(world.stack().dial(listener->port()));
    wires.back()->push(hello);
    co_await settle(world);
  }
  wires[0]->push(retries.step(wires[0]->take()));
  co_await settle(world);
  // The second drips the start of a record, which is no answer.
  for (int i = 0; i < 3; ++i) {
    wires[1]->push(std::string_view("\x16\x03\x03").substr(static_cast<std::size_t>(i), 1));
    co_await settle(world);
  }
  EXPECT_EQ(closed(wires), Which{});
  EXPECT_TRUE(co_await is_served(world, *listener));
  EXPECT_EQ(closed(wires), Which{1});
  EXPECT_TRUE(co_await is_served(world, *listener)) << "a place was free again";
  EXPECT_EQ(closed(wires), Which{1});
  for (const Wire& wire : wires) wire->break_off();
  listener->close();
  co_await settle(world);
  EXPECT_EQ(over.connection_count(), 0U);
}

TEST(Limits, TheLongestWaitForAClientEndsFirst) {
  MemoryWorld world;
  run(world, longest_wait(world));
}

// Clients that stop halfway, one each 5 ms, and more than there are places.
Task<void> flood(MemoryWorld& world) {
  Over over(world.stack(), world.loop(), context(), {.openings_max = 32, .handshakes_max = 8});
  auto listener = over.listen(0);
  REQUIRE(listener.has_value());
  Client unfinished({});
  const std::string hello = unfinished.step({});
  const std::string starts[] = {hello, hello, hello.substr(0, hello.size() / 2),
                                hello.substr(0, 1)};
  std::vector<Wire> wires;
  for (std::size_t i = 0; i < 400; ++i) {
    const Wire wire = world.stack().dial(listener->port());
    if (i % 4 == 1) wire->pipes[1].capacity = 1;  // it never reads
    wire->push(starts[i % 4]);
    wires.push_back(wire);
    co_await world.loop().sleep_for(5ms);
    EXPECT_LE(over.connection_count(), 40U);
    if (i % 40 != 39) continue;
    EXPECT_TRUE(co_await is_served(world, *listener)) << i;
  }
  listener->close();
  co_await settle(world);
  EXPECT_EQ(over.connection_count(), 0U);
}

TEST(Limits, AFloodOfHalfOpenConnectionsKeepsNobodyOut) {
  MemoryWorld world;
  run(world, flood(world));
}

// One client, from as many networks as `networks`, takes all places again and again with whole
// hellos; another, far away, needs a second for its second flight.
Task<void> flood_from_elsewhere(MemoryWorld& world, std::uint8_t networks) {
  Over over(world.stack(), world.loop(), context(), {.openings_max = 32, .handshakes_max = 8});
  auto listener = over.listen(0);
  REQUIRE(listener.has_value());
  Client unfinished({});
  const std::string hello = unfinished.step({});
  const std::string starts[] = {hello, "", hello.substr(0, 1)};
  std::vector<Wire> wires;
  const Wire far = world.stack().dial(listener->port());
  far->peer = net::ipv4(198, 51, 100, 7, 1000);
  Client client({});
  const std::string first = client.step({});
  for (unsigned i = 0; i < 400; ++i) {
    const Wire wire = world.stack().dial(listener->port());
    wire->peer = net::ipv4(192, 0, static_cast<std::uint8_t>(i % networks), 1,
                           static_cast<std::uint16_t>(2000 + i));
    wire->push(starts[i % std::size(starts)]);
    wires.push_back(wire);
    if (i == 100) far->push(first.substr(0, 20));
    if (i == 200) far->push(first.substr(20));
    co_await world.loop().sleep_for(5ms);
  }
  EXPECT_FALSE(far->is_closed());
  std::optional<Over::Flow> flow;
  world.loop().spawn(accept_into<Over>(*listener, flow));
  co_await talk(world, *far, client);
  EXPECT_TRUE(client.is_open());
  listener->close();
  flow.reset();
  co_await settle(world);
  EXPECT_EQ(over.connection_count(), 0U);
}

TEST(Limits, OneClientDoesNotTakeTheOthersPlaces) {
  for (const std::uint8_t networks : {std::uint8_t{1}, std::uint8_t{3}}) {
    SCOPED_TRACE(networks);
    MemoryWorld world;
    run(world, flood_from_elsewhere(world, networks));
  }
}

// Open sessions that nobody accepts hold their listener, and no other.
Task<void> two_listeners(MemoryWorld& world) {
  Over over(world.stack(), world.loop(), context(),
            {.openings_max = 2, .handshakes_max = 2, .ready_max = 2});
  auto idle = over.listen(0);
  auto served = over.listen(0);
  REQUIRE(idle.has_value() && served.has_value());
  std::vector<Wire> wires;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) {
    wires.push_back(world.stack().dial(idle->port()));
    clients.push_back(std::make_unique<Client>(test_client::Offer{}));
    co_await talk(world, *wires.back(), *clients.back());
    EXPECT_TRUE(co_await is_served(world, *served));
  }
  EXPECT_TRUE(clients[1]->is_open());
  EXPECT_LE(over.connection_count(), 3U) << "the others wait below, and cost nothing here";
  std::optional<Over::Flow> first;
  co_await accept_into<Over>(*idle, first);
  co_await talk(world, *wires[3], *clients[3]);
  std::optional<Over::Flow> second;
  co_await accept_into<Over>(*idle, second);
  co_await talk(world, *wires[3], *clients[3]);
  EXPECT_TRUE(clients[3]->is_open());
  idle->close();
  EXPECT_TRUE(co_await is_served(world, *served));
  served->close();
  first.reset();
  second.reset();
  co_await settle(world);
  EXPECT_EQ(over.connection_count(), 0U);
}

TEST(Limits, OneListenerDoesNotHoldAnother) {
  MemoryWorld world;
  run(world, two_listeners(world));
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
