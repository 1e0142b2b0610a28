// SPDX-License-Identifier: ISC
// tests/http/connection_test.cpp: what a connection lives through: slow peers, maxima, a failing
// store, a failing network, drains.
//
// Method:  simulated time, in which every deadline is met to the nanosecond; failures are put at
//          every operation in turn.

#include <gtest/gtest.h>

#include <deque>

#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using namespace std::chrono_literals;
using http_test::get;
using http_test::ScriptedStore;
using http_test::WaitingStore;
using Wire = std::shared_ptr<net::MemoryWire>;
using World = http_test::World<ScriptedStore>;

// What has come, cut into answers; "" after the last that is whole.
std::string statuses(std::string bytes) {
  std::string out, why;
  while (auto answer = http_test::take_answer(bytes, false, why)) {
    out += std::to_string(answer->status) + " ";
  }
  return out + why + (bytes.empty() ? "" : "...");
}

TEST(Deadlines, AnIdleConnectionIsClosedWithoutAWord) {
  World world;
  Wire wire = world.dial();
  world.settle();
  wire->push(get("/a.txt"));
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "200 ");
  world.advance(59s);
  EXPECT_FALSE(wire->is_closed());
  world.advance(2s);
  EXPECT_TRUE(wire->is_closed());
  EXPECT_EQ(wire->take(), "");
}

TEST(Deadlines, AHeadMustComeInTimeHoweverItIsDribbled) {
  World world;
  Wire wire = world.dial();
  world.advance(30s);  // before the first byte, it is only idle
  for (int i = 0; i < 9; ++i) {
    wire->push("G");
    world.advance(1s);
    ASSERT_FALSE(wire->is_ended()) << i;
  }
  world.advance(2s);
  EXPECT_EQ(statuses(wire->take()), "408 ");
  EXPECT_TRUE(wire->is_ended());
}

TEST(Deadlines, ABodyMustComeInTime) {
  World world;
  Wire wire = world.dial();
  wire->push("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 9; ++i) {
    wire->push("x");
    world.advance(1s);
  }
  EXPECT_EQ(wire->take(), "");
  world.advance(2s);
  EXPECT_EQ(statuses(wire->take()), "408 ");
}

TEST(Deadlines, TheNextHeadHasTimeOfItsOwn) {
  World world;
  Wire wire = world.dial();
  for (int i = 0; i < 5; ++i) {
    wire->push(get("/a.txt") + "GET");  // the beginning of the next
    world.advance(8s);
    wire->push(" /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    world.advance(8s);
    ASSERT_EQ(statuses(wire->take()), "200 200 ");
  }
}

TEST(Deadlines, APeerThatTakesNothingIsLeft) {
  World world;
  Wire wire = world.dial();
  wire->pipes[1].capacity = 1000;
  wire->push(get("/large.bin"));
  world.advance(29s);
  EXPECT_FALSE(wire->is_closed());
  EXPECT_EQ(wire->take().size(), 1000U);
  world.advance(29s);  // something moved: the stall begins anew
  EXPECT_FALSE(wire->is_closed());
  world.advance(2s);
  EXPECT_TRUE(wire->is_closed());
}

TEST(Deadlines, APeerThatTakesLittleAtATimeIsServed) {
  World world;
  Wire wire = world.dial();
  wire->pipes[1].capacity = 1000;
  wire->push(get("/large.bin"));
  std::string got;
  for (int i = 0; i < 110; ++i) {
    world.advance(10s);
    got += wire->take();
  }
  EXPECT_EQ(statuses(got), "200 ");
}

TEST(Lingering, AnErrorIsAnsweredBeforeWhatFollowsIsCutOff) {
  World world;
  Wire wire = world.dial();
  wire->push("bad\r\n");
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "400 ");
  EXPECT_TRUE(wire->is_ended());
  wire->push(std::string(100'000, 'x'));
  world.advance(1s);
  EXPECT_FALSE(wire->is_reset());
  world.advance(2s);
  EXPECT_TRUE(wire->is_closed());
  EXPECT_FALSE(wire->is_reset());
}

TEST(Lingering, HasABoundInBytes) {
  World world;
  Wire wire = world.dial();
  wire->push("bad\r\n");
  world.settle();
  wire->push(std::string(1'000'000, 'x'));
  world.settle();
  EXPECT_TRUE(wire->is_closed());
}

TEST(Maxima, TheLongestIdleMakesRoom) {
  World world({.connections_max = 3});
  std::deque<Wire> wires;
  for (int i = 0; i < 3; ++i) {
    wires.push_back(world.dial());
    world.settle();
  }
  wires[0]->push(get("/a.txt"));  // now the second is the one that has been idle for longest
  world.settle();
  wires.push_back(world.dial());
  world.settle();
  EXPECT_FALSE(wires[0]->is_closed());
  EXPECT_TRUE(wires[1]->is_closed());
  EXPECT_FALSE(wires[2]->is_closed());
  wires[3]->push(get("/a.txt"));
  world.settle();
  EXPECT_EQ(statuses(wires[3]->take()), "200 ");
  EXPECT_EQ(world.server.connection_count(), 3U);
}

TEST(Maxima, AnIdleOneThatMakesRoomMayTimeOutFirst) {
  base::SimulatedTime time;
  base::Loop loop(time, time);
  http_test::TextConsole console;
  http::AccessLog log(console, loop, http::LogFormat::off);
  http::Common common(loop, {}, log);
  http::Session session(common, {});
  ASSERT_EQ(session.next(), http::Next::read);
  session.evict();
  session.received(base::failure(net::Error::timed_out));
  EXPECT_EQ(session.next(), http::Next::close);
}

TEST(Maxima, WithoutAnIdleOneTheNewcomerIsTold) {
  World world({.connections_max = 2, .refusals_max = 1});
  Wire busy[2] = {world.dial(), world.dial()};
  for (Wire& wire : busy) wire->push("GET");
  world.settle();
  Wire told = world.dial(), untold = world.dial();
  world.settle();
  EXPECT_EQ(statuses(told->take()), "503 ");
  EXPECT_TRUE(told->is_ended());
  EXPECT_TRUE(untold->is_closed());
  EXPECT_EQ(untold->take(), "");
  EXPECT_EQ(world.server.connection_count(), 2U);
  for (Wire& wire : busy) {
    wire->push(" /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    world.settle();
    EXPECT_EQ(statuses(wire->take()), "200 ");
  }
}

TEST(Maxima, RequestsOfOneConnection) {
  World world({.requests_per_connection_max = 3});
  Wire wire = world.dial();
  std::string five;
  for (int i = 0; i < 5; ++i) five += get("/a.txt");
  wire->push(five);
  world.settle();
  std::string got = wire->take();
  EXPECT_EQ(statuses(got), "200 200 200 ");
  EXPECT_NE(got.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(wire->is_ended());
}

TEST(Pipelining, SmallAnswersShareAWrite) {
  World world;
  Wire wire = world.dial();
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += get("/a.txt");
  wire->push(ten);
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "200 200 200 200 200 200 200 200 200 200 ");
  EXPECT_LE(wire->writes, 2U);
}

// Who sends the body may wait for the answer first.
TEST(Pipelining, AnAnswerDoesNotWaitForTheNextRequestsBody) {
  World world;
  Wire wire = world.dial();
  wire->push(get("/a.txt") + "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "200 ");
  wire->push("x" + get("/a.txt"));
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "405 200 ");
}

TEST(Pipelining, ManyRequestsOfAllSizesStayInOrder) {
  World world;
  Wire wire = world.dial();
  wire->pipes[1].capacity = 100'000'000;
  const char* targets[] = {"/a.txt", "/large.bin", "/empty.txt", "/style.css", "/nothing"};
  const std::string answers[] = {"200 ", "200 ", "200 ", "200 ", "404 "};
  std::string requests, expected;
  for (std::size_t i = 0; i < 500; ++i) {
    requests += get(targets[i * 7 % 5], i % 3 == 0 ? "Range: bytes=0-0\r\n" : "");
    std::string answer = answers[i * 7 % 5];
    if (i % 3 == 0 && answer == "200 ") answer = i * 7 % 5 == 2 ? "416 " : "206 ";
    expected += answer;
  }
  wire->push(requests);
  world.settle();
  EXPECT_EQ(statuses(wire->take()), expected);
}

// A peer that never pauses does not keep the loop from the others.
TEST(Pipelining, OthersHaveTheirTurn) {
  World world;
  Wire greedy = world.dial(), other = world.dial();
  world.settle();
  std::string many;
  for (int i = 0; i < 1000; ++i) many += get("/a.txt");
  greedy->push(many);
  other->push(get("/a.txt"));
  world.loop.turn(world.time.now());
  std::string got = other->take();
  EXPECT_EQ(statuses(got), "200 ");
  world.settle();
  std::string all = greedy->take();
  EXPECT_EQ(statuses(all).size(), 4000U);
}

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
  wire->push(get("/a\"b\xc3\xa4", "User-Agent: \\\r\n"));
  world.settle();
  EXPECT_EQ(world.console.text,
            "{\"time\":1700000000,\"peer\":\"192.0.2.1\",\"method\":\"GET\",\"target\":"
            "\"/a\\\"b\\u00c3\\u00a4\",\"version\":\"HTTP/1.1\",\"status\":404,\"bytes\":28,"
            "\"duration_us\":0,\"referer\":\"\",\"user_agent\":\"\\\\\"}\n");
}

TEST(AccessLog, IsWrittenOnceATurn) {
  World world({}, http::LogFormat::brief);
  Wire wire = world.dial();
  wire->push(get("/a.txt") + get("/empty.txt"));
  world.settle();
  EXPECT_EQ(world.console.text, "GET /a.txt 200 36 B 0.0 ms\nGET /empty.txt 200 0 B 0.0 ms\n");
}

}  // namespace
