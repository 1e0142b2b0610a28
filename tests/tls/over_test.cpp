// SPDX-License-Identifier: ISC
// tests/tls/over_test.cpp: tls::Over against clients that mean harm, or are cut off.
//
// Method: each kind of bad start, many at once, from raw sockets of the same loop; an honest client
// before and after. A counter of connections must come back to zero; in a sanitized build nothing
// may be lost either. CRUNCH_TLS_ATTACKS says how many of each kind (the unit suite: 50; the test
// labelled real: 10,000). Half-open connections come 200 a second, beside honest ones.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/tls/world.hpp"

namespace {

using Raw = net::Sockets::Flow;

int attacks() {
  const char* text = std::getenv("CRUNCH_TLS_ATTACKS");
  return text == nullptr ? 50 : std::atoi(text);
}

// What a client sends first, and whether it then waits for the answer or goes at once.
struct Attack {
  const char* what;
  std::string (*bytes)(std::mt19937& random);
  bool waits;
};

std::string hello(int version_max = TLS1_3_VERSION) {
  test_client::Client client({.version_max = version_max});
  return client.step({});
}
const std::string& one_hello() {
  static const std::string made = hello();
  return made;
}

const Attack table[] = {
    {"plain HTTP", [](std::mt19937&) { return std::string("GET / HTTP/1.1\r\n\r\n"); }, true},
    {"garbage",
     [](std::mt19937& random) {
       std::string text(1 + random() % 600, '\0');
       for (char& c : text) c = static_cast<char>(random() & 0xffU);
       return text;
     },
     true},
    {"garbage in a record",
     [](std::mt19937& random) {
       std::string text(1 + random() % 600, '\0');
       for (char& c : text) c = static_cast<char>(random() & 0xffU);
       return std::string("\x16\x03\x01") + static_cast<char>(text.size() >> 8U) +
              static_cast<char>(text.size() & 0xffU) + text;
     },
     true},
    {"oversized record",
     [](std::mt19937&) { return std::string("\x16\x03\x01\xff\xff", 5) + std::string(20000, 'x'); },
     true},
    {"half-open, then gone",
     [](std::mt19937& random) { return one_hello().substr(0, random() % one_hello().size()); },
     false},
    {"hello, then gone", [](std::mt19937&) { return one_hello(); }, false},
    {"hello with a flipped bit",
     [](std::mt19937& random) {
       std::string text = one_hello();
       text[random() % text.size()] ^= static_cast<char>(1U << random() % 8U);
       return text;
     },
     false},
    {"hello, then an alert",
     [](std::mt19937&) { return one_hello() + std::string("\x15\x03\x03\0\2\2\x28", 7); }, true},
    {"hello, then garbage",
     [](std::mt19937&) {
       return one_hello() + std::string("\x17\x03\x03\0\x20", 5) + std::string(32, 'y');
     },
     true},
    {"alert first", [](std::mt19937&) { return std::string("\x15\x03\x01\0\2\2\x28", 7); }, true},
    {"nothing, then gone", [](std::mt19937&) { return std::string(); }, false},
};

Task<void> attack(TlsWorld& world, net::Endpoint to, const Attack& kind, std::mt19937& random,
                  int& running) {
  auto flow = co_await world.sockets().stack().connect(to, long_time);
  if (flow) {
    const std::string bytes = kind.bytes(random);
    const std::array pieces{net::Piece{bytes_of(bytes)}};
    net::Result<void> sent = co_await flow->write(std::span<const net::Piece>(pieces), long_time);
    while (sent && kind.waits) {
      net::Result<base::Bytes> answer = co_await flow->read(65536, 100ms);
      if (!answer) break;
    }
  }
  --running;
}

Task<void> serve(TlsWorld::Stack::Listener& listener, base::Loop& loop) {
  auto echo = [](TlsWorld::Stack::Flow accepted) -> Task<void> {
    auto flow = std::move(accepted);
    for (;;) {
      auto in = co_await flow.read(1000, long_time);
      if (!in) break;
      const std::string text(base::text_of(*in));
      if (!co_await send(flow, text)) break;
    }
  };
  for (;;) {
    auto flow = co_await listener.accept();
    if (!flow) co_return;
    loop.spawn(echo(std::move(*flow)));
  }
}

Task<bool> is_served(TlsWorld& world, net::Endpoint to) {
  auto flow = co_await world.stack().connect(to, long_time);
  if (!flow) co_return false;
  if (!co_await send(*flow, "hello")) co_return false;
  const std::string got = co_await receive(*flow, 5);
  co_return got == "hello";
}

Task<void> attacked(TlsWorld& world, const Attack& kind, unsigned seed) {
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  world.loop().spawn(serve(*listener, world.loop()));
  const net::Endpoint to = world.at(listener->port());
  EXPECT_TRUE(co_await is_served(world, to));
  std::mt19937 random(seed);
  int running = 0;
  constexpr int at_once = 64;
  for (int i = 0; i < attacks(); ++i) {
    while (running >= at_once) co_await world.loop().sleep_for(1ms);
    ++running;
    world.loop().spawn(attack(world, to, kind, random, running));
  }
  while (running > 0) co_await world.loop().sleep_for(1ms);
  EXPECT_TRUE(co_await is_served(world, to)) << "after the attack";
  listener->close();
  for (int i = 0; i < 5000 && world.stack().over().connection_count() > 0; ++i) {
    co_await world.loop().sleep_for(1ms);
  }
  EXPECT_EQ(world.stack().over().connection_count(), 0U);
  EXPECT_EQ(world.stack().over().handshake_count(), 0U);
}

TEST(Over, BadStartsEndCleanlyAndNothingIsLost) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (const Attack& kind : table) {
    SCOPED_TRACE(kind.what);
    TlsWorld world;
    run(world, attacked(world, kind, seed));
    EXPECT_EQ(world.sockets().stack().flow_count(), 0U);
  }
}

// Half-open connections, 200 a second: what each sends, and that it then neither goes nor reads.
const std::string& half_open(int which) {
  static const std::string kinds[] = {one_hello(), one_hello().substr(0, one_hello().size() / 2),
                                      one_hello().substr(0, 1), std::string()};
  return kinds[static_cast<std::size_t>(which) % std::size(kinds)];
}

struct Flood {
  std::vector<std::optional<Raw>> flows;
  bool over = false;
  bool has_ended = false;
};

// `kind` 4: each in turn.
Task<void> flood(TlsWorld& world, net::Endpoint to, int kind, Flood& state) {
  constexpr base::Duration gap = 5ms;
  base::Instant next = world.loop().now();
  for (int i = 0; !state.over; ++i) {
    auto flow = co_await world.sockets().stack().connect(to, long_time);
    if (flow) {
      const std::string& bytes = half_open(kind == 4 ? i : kind);
      const std::array pieces{net::Piece{bytes_of(bytes)}};
      net::Result<void> sent = co_await flow->write(std::span<const net::Piece>(pieces), long_time);
      static_cast<void>(sent);
      state.flows.emplace_back(std::move(*flow));
    }
    next += gap;
    co_await world.loop().sleep_until(next);
  }
  state.flows.clear();
  state.has_ended = true;
}

Task<void> flooded(TlsWorld& world, int kind, base::Duration time) {
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  world.loop().spawn(serve(*listener, world.loop()));
  const net::Endpoint to = world.at(listener->port());
  Flood state;
  world.loop().spawn(flood(world, to, kind, state));
  std::vector<double> took_ms;
  const base::Instant end = world.loop().now() + time;
  while (world.loop().now() < end) {
    const base::Instant begin = world.loop().clock().now();
    EXPECT_TRUE(co_await is_served(world, to));
    const base::Duration took = world.loop().clock().now() - begin;
    took_ms.push_back(std::chrono::duration<double, std::milli>(took).count());
    co_await world.loop().sleep_for(20ms);
  }
  const std::size_t half_open_count = state.flows.size();
  state.over = true;
  while (!state.has_ended) co_await world.loop().sleep_for(1ms);
  std::sort(took_ms.begin(), took_ms.end());
  std::printf("%zu honest clients beside %zu half-open ones: %.1f ms median, %.1f ms at most\n",
              took_ms.size(), half_open_count, took_ms[took_ms.size() / 2], took_ms.back());
  listener->close();
  co_await settle(world);
}

// CRUNCH_TLS_FLOOD_S: how long each kind lasts. Only the test labelled real lasts long enough to
// fill all places.
TEST(Over, HalfOpenConnectionsDoNotKeepOthersOut) {
  const char* text = std::getenv("CRUNCH_TLS_FLOOD_S");
  const base::Duration time = text == nullptr ? 100ms : std::atoi(text) * base::Duration(1s);
  for (int kind = 0; kind <= 4; ++kind) {
    SCOPED_TRACE(kind);
    TlsWorld world;
    run(world, flooded(world, kind, time));
    EXPECT_EQ(world.stack().over().connection_count(), 0U);
  }
}

Task<void> truncated(TlsWorld& world, bool notified) {
  Ends<TlsWorld::Stack> ends;
  co_await connect(world, ends);
  EXPECT_TRUE(co_await send(*ends.client, "half a"));
  if (notified) {
    auto down = co_await ends.client->shutdown(long_time);
    EXPECT_TRUE(down.has_value());
  }
  ends.client.reset();
  std::string got;
  EXPECT_EQ(co_await drain(*ends.server, got), notified ? net::Error::ended : net::Error::reset);
  EXPECT_EQ(got, "half a");
}

TEST(Over, ATruncatedStreamIsToldFromAnEndedOne) {
  for (const bool notified : {false, true}) {
    TlsWorld world;
    run(world, truncated(world, notified));
  }
}

Task<void> replaced(TlsWorld& world) {
  Ends<TlsWorld::Stack> ends;
  co_await connect(world, ends);
  std::vector<tls::Identity> identities;
  identities.push_back(authority::identity("RSA-2048", "renewed.example"));
  world.stack().over().replace_context(
      std::make_shared<tls::Context>(std::move(identities), authority::entropy()));
  EXPECT_TRUE(co_await send(*ends.client, "still here"));
  EXPECT_EQ(co_await receive(*ends.server, 10), "still here");
  Ends<TlsWorld::Stack> later;
  co_await connect(world, later);
  EXPECT_TRUE(co_await send(*later.client, "new"));
  EXPECT_EQ(co_await receive(*later.server, 3), "new");
}

TEST(Over, CertificatesAreReplacedWithoutDroppingAConnection) {
  TlsWorld world;
  run(world, replaced(world));
}

}  // namespace
