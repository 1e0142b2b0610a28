// SPDX-License-Identifier: ISC
// tests/http/failures_test.cpp: what a server lives through: a failing store, a failing network,
// drains; and what its log says of it all.
//
// Method:  simulated time; failures are put at every operation in turn. A program of its own:
//          g++ 12 cannot link one coroutine template instantiated in two sources.

#include <gtest/gtest.h>

#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using namespace std::chrono_literals;
using http_test::get;
using http_test::ScriptedStore;
using http_test::statuses;
using http_test::WaitingStore;
using Wire = std::shared_ptr<net::MemoryWire>;
using World = http_test::World<ScriptedStore>;

TEST(Stores, UnavailableIs503) {
  World world;
  world.store.fail_from(1);
  Wire wire = world.dial();
  wire->push(get("/a.txt"));
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "503 ");
  EXPECT_FALSE(wire->is_ended());
  world.store.fail_from(0);
  wire->push(get("/a.txt"));
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "200 ");
}

TEST(Stores, UnavailableWhenTheBytesAreWantedIs503) {
  World world;
  world.store.fail_from(2);
  Wire wire = world.dial();
  wire->push(get("/large.bin"));
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "503 ");
}

// A store that fails from its Nth call on: either the whole answer came, or an error, or the peer
// can see that the answer is short.
TEST(Stores, FailingAtEveryCall) {
  for (std::uint64_t n = 1; n < 20; ++n) {
    http_test::World<WaitingStore> world;
    world.store.site.fail_from(n);
    Wire wire = world.dial();
    wire->push(get("/large.bin", n % 2 == 0 ? "Range: bytes=5-30000,40000-80000\r\n" : ""));
    world.advance(1s);
    std::string got = wire->take();
    std::string seen = statuses(got);
    if (n <= 2) {
      EXPECT_EQ(seen, "503 ") << n;
      EXPECT_FALSE(wire->is_closed()) << n;
    } else if (wire->is_closed()) {
      EXPECT_EQ(seen, "...") << n;
    } else {
      EXPECT_EQ(seen, n % 2 == 0 ? "206 " : "200 ") << n;
    }
  }
}

TEST(Drain, EndsIdleConnectionsAndListeningAtOnce) {
  World world;
  Wire idle = world.dial();
  world.settle();
  world.server.drain();
  world.settle();
  EXPECT_TRUE(idle->is_closed());
  EXPECT_EQ(world.dial(), nullptr);
  EXPECT_EQ(world.loop.spawned_count(), 0U);
}

TEST(Drain, LetsAnswersFinish) {
  World world;
  Wire wire = world.dial();
  wire->pipes[1].capacity = 1000;
  wire->push(get("/large.bin") + get("/a.txt"));
  world.settle();
  std::string got = wire->take();
  world.server.drain();
  for (int i = 0; i < 200; ++i) {
    world.settle();
    got += wire->take();
  }
  wire->end();
  world.settle();
  // The first was under way; the second is the connection's last.
  EXPECT_EQ(statuses(got), "200 200 ");
  EXPECT_NE(got.rfind("Connection: close"), std::string::npos);
  EXPECT_TRUE(wire->is_closed());
  EXPECT_EQ(world.loop.spawned_count(), 0U);
}

TEST(Drain, IsAnnouncedByEachAnswer) {
  World world;
  Wire idle = world.dial(), busy = world.dial();
  busy->push(get("/a.txt"));
  world.settle();
  EXPECT_EQ(busy->take().find("Connection: close"), std::string::npos);
  world.server.announce_drain();
  world.settle();
  EXPECT_FALSE(idle->is_closed());
  busy->push(get("/a.txt") + get("/a.txt"));
  Wire newcomer = world.dial();
  ASSERT_NE(newcomer, nullptr);
  newcomer->push(get("/a.txt"));
  world.settle();
  for (Wire& wire : {std::ref(busy), std::ref(newcomer)}) {
    const std::string got = wire->take();
    EXPECT_EQ(statuses(got), "200 ");
    EXPECT_NE(got.find("\r\nConnection: close\r\n"), std::string::npos) << got;
    EXPECT_TRUE(wire->is_ended());
  }
  EXPECT_FALSE(idle->is_closed()) << "it waits for its next request";
  world.server.drain();
  world.settle();
  EXPECT_TRUE(idle->is_closed());
}

TEST(Drain, HasABound) {
  World world;
  Wire stuck = world.dial(), slow = world.dial();
  stuck->pipes[1].capacity = 1000;
  stuck->push(get("/large.bin"));
  slow->push("GET /");
  world.settle();
  world.server.drain();
  world.advance(9s);
  EXPECT_FALSE(stuck->is_closed());
  world.advance(2s);
  EXPECT_TRUE(stuck->is_closed());
  EXPECT_TRUE(slow->is_closed());
  EXPECT_EQ(world.loop.spawned_count(), 0U);
}

TEST(Drain, WhileRequestsArrive) {
  World world;
  Wire wire = world.dial();
  world.settle();
  wire->push(get("/a.txt"));
  world.server.drain();
  world.settle();
  // It was idle when the drain began: what had just arrived may be lost, but not half-answered.
  std::string seen = statuses(wire->take());
  EXPECT_TRUE(seen.empty() || seen == "200 ") << seen;
  EXPECT_TRUE(wire->is_ended());
}

// The network fails at the Nth operation, for every N there is.
template <class Store>
void fail_everywhere() {
  std::uint64_t operations = 0;
  for (std::uint64_t n = 1; n == 1 || n <= operations + 1; ++n) {
    http_test::World<Store> world;
    operations = 0;
    world.stack.faults.operations = 0;
    world.stack.faults.fail_at = n;
    Wire wire = world.dial();
    wire->push(get("/a.txt") + get("/large.bin", "Range: bytes=0-9,20-90000\r\n"));
    world.advance(1s);
    wire->push("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    world.advance(1s);
    wire->push("cde\r\n0\r\n\r\n" + get("/dir") + "bad\r\n");
    world.advance(1s);
    wire->end();
    world.advance(1s);
    operations = world.stack.faults.operations;
    ASSERT_TRUE(wire->is_closed()) << n;
    ASSERT_EQ(world.server.connection_count(), 0U) << n;
    if (n <= operations) {
      ASSERT_TRUE(wire->is_reset()) << n;
    } else {
      ASSERT_EQ(statuses(wire->take()), "200 206 405 301 400 ");
    }
  }
}
TEST(Failures, OfTheNetworkAtEveryOperation) {
  fail_everywhere<ScriptedStore>();
  fail_everywhere<WaitingStore>();
}

TEST(AccessLog, SaysWhatWasAnswered) {
  World world({}, http::LogFormat::combined);
  Wire wire = world.dial();
  wire->push(get("/a.txt", "Referer: http://x/\"y\"\r\nUser-Agent: t\tt\r\n") + get("/dir"));
  wire->push("bad\r\n");
  world.settle();
  EXPECT_EQ(world.console.text,
            "192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"GET /a.txt HTTP/1.1\" 200 36 "
            "\"http://x/\\x22y\\x22\" \"t\\x09t\"\n"
            "192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"GET /dir HTTP/1.1\" 301 84 "
            "\"-\" \"-\"\n"
            "192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] \"-\" 400 72 \"-\" \"-\"\n");
}

TEST(AccessLog, Json) {
  World world({}, http::LogFormat::json);
  Wire wire = world.dial();
  wire->push(get("/a\"b", "User-Agent: \\\xc3\xa4\r\n"));
  world.settle();
  EXPECT_EQ(world.console.text,
            "{\"time\":1700000000,\"peer\":\"192.0.2.1\",\"method\":\"GET\",\"target\":"
            "\"/a\\\"b\",\"version\":\"HTTP/1.1\",\"status\":404,\"bytes\":28,"
            "\"duration_us\":0,\"referer\":\"\",\"user_agent\":\"\\\\\\u00c3\\u00a4\"}\n");
}

TEST(AccessLog, EscapesWhatIsNotAscii) {
  for (auto format : {http::LogFormat::combined, http::LogFormat::brief, http::LogFormat::json}) {
    World world({}, format);
    Wire wire = world.dial();
    std::string odd;
    for (int byte = 0x80; byte < 0x100; ++byte) odd += static_cast<char>(byte);
    wire->push(get("/a.txt", "Referer: " + odd + "\r\nUser-Agent: \t" + odd + "\tx\r\n"));
    wire->push("GET /" + odd + "\t\x7f HTTP/1.1\r\n\r\n");
    world.settle();
    for (char c : world.console.text) {
      auto byte = static_cast<unsigned char>(c);
      ASSERT_TRUE(c == '\n' || (byte >= 0x20 && byte < 0x7f)) << world.console.text;
    }
  }
  World world({}, http::LogFormat::combined);
  Wire wire = world.dial();
  wire->push(get("/a.txt", "User-Agent: \x80\xff\r\n"));
  world.settle();
  EXPECT_TRUE(world.console.text.ends_with("\"-\" \"\\x80\\xff\"\n")) << world.console.text;
}

TEST(AccessLog, AnswersThatBreakOff) {
  // The peer has gone while bytes were on their way.
  World world({}, http::LogFormat::combined);
  Wire wire = world.dial();
  wire->pipes[1].capacity = 1000;
  wire->push(get("/large.bin", "Range: bytes=0-99,200-90000\r\n"));
  world.settle();
  world.advance(31s);
  EXPECT_TRUE(wire->is_closed());
  EXPECT_NE(world.console.text.find("\"GET /large.bin HTTP/1.1\" 206 100 "), std::string::npos)
      << world.console.text;

  // The store has failed.
  http_test::World<WaitingStore> waiting({}, http::LogFormat::combined);
  waiting.store.site.fail_from(4);
  wire = waiting.dial();
  wire->push(get("/large.bin"));
  waiting.advance(1s);
  EXPECT_TRUE(wire->is_closed());
  EXPECT_NE(waiting.console.text.find("\"GET /large.bin HTTP/1.1\" 200 14000 "), std::string::npos)
      << waiting.console.text;

  // A drain has come to its bound.
  World drained({}, http::LogFormat::combined);
  wire = drained.dial();
  wire->pipes[1].capacity = 1000;
  wire->push(get("/large.bin"));
  drained.settle();
  drained.server.drain();
  drained.advance(11s);
  EXPECT_NE(drained.console.text.find("\"GET /large.bin HTTP/1.1\" 200 0 "), std::string::npos)
      << drained.console.text;
}

TEST(AccessLog, ARefusedConnectionTookNoTime) {
  World world({.connections_max = 1}, http::LogFormat::json);
  world.advance(100s);
  Wire busy = world.dial();
  busy->push("GET");
  world.settle();
  Wire refused = world.dial();
  world.settle();
  EXPECT_EQ(statuses(refused->take()), "503 ");
  EXPECT_NE(world.console.text.find("\"status\":503,\"bytes\":88,\"duration_us\":0,"),
            std::string::npos)
      << world.console.text;
}

TEST(AccessLog, IsWrittenOnceATurn) {
  World world({}, http::LogFormat::brief);
  Wire wire = world.dial();
  wire->push(get("/a.txt") + get("/empty.txt"));
  world.settle();
  EXPECT_EQ(world.console.text, "GET /a.txt 200 36 B 0.0 ms\nGET /empty.txt 200 0 B 0.0 ms\n");
}

}  // namespace
