// SPDX-License-Identifier: ISC
// tests/http/connection_test.cpp: what a connection lives through: slow peers, maxima, pipelining.
//
// Method:  simulated time, in which every deadline is met to the nanosecond.

#include <gtest/gtest.h>

#include <deque>

#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using namespace std::chrono_literals;
using http_test::get;
using http_test::ScriptedStore;
using http_test::statuses;
using Wire = std::shared_ptr<net::MemoryWire>;
using World = http_test::World<ScriptedStore>;

TEST(Deadlines, AnIdleConnectionIsClosedWithoutAWord) {
  World world;
  Wire wire = world.dial();
  world.settle();
  wire->push(get("/a.txt"));
  world.settle();
  EXPECT_EQ(statuses(wire->take()), "200 ");
  world.advance(74s);
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
  http::h1::Framing framing(common, {});
  ASSERT_EQ(framing.next(), http::h1::Next::read);
  framing.evict();
  framing.received(base::failure(net::Error::timed_out));
  EXPECT_EQ(framing.next(), http::h1::Next::close);
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

// Chunks and trailers are read by lines that end in CRLF; what cannot become one is not waited for.
TEST(Bodies, ABareLineFeedIsNotWaitedFor) {
  for (std::string_view body :
       {"0\r\nX: y\n", "0\r\n\n", "0\n", "3\n", "3;a\n", "3\r\nabc\n", "0\r\nX: y\rZ", "3\rx",
        "0\r\nX: y\x01", "3;a=\"\x7f", "0\r\nX: y\r\nZ\n"}) {
    World world;
    Wire wire = world.dial();
    wire->push("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (char c : body) {
      wire->push({&c, 1});
      world.settle();
    }
    EXPECT_EQ(statuses(wire->take()), "400 ") << body;
  }
}

TEST(HttpsElsewhere, RedirectsWhatIsWellFormed) {
  struct Case {
    std::string request;
    int status;
    std::string location;
  };
  const Case cases[] = {
      {get("/a?b=%zz"), 308, "https://example.org:8443/a?b=%zz"},
      {get("/%2f"), 308, "https://example.org:8443/%2f"},
      {get("http://other.example:80/a?b"), 308, "https://other.example:8443/a?b"},
      {get("HTTP://other.example"), 308, "https://other.example:8443/"},
      {get("http://[::1]:80?b"), 308, "https://[::1]:8443/?b"},
      {"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", 308, "https://[2001:db8::1]:8443/"},
      {http_test::ask("OPTIONS", "*"), 204, ""},
      {http_test::ask("OPTIONS", "/a"), 308, "https://example.org:8443/a"},
      {http_test::ask("POST", "/a"), 405, ""},
      {get("*"), 400, ""},
      {get("/a#b"), 400, ""},
      {get("/a?b#c"), 400, ""},
      {get("/%zz"), 400, ""},
      {get("/%00"), 400, ""},
      {get("/\xff"), 400, ""},
      {get("a"), 400, ""},
      {get("http://user@a/"), 400, ""},
      {get("http://a:b/"), 400, ""},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, ""},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, ""},
      {"GET / HTTP/1.0\r\n\r\n", 400, ""},
  };
  World world({.https_port = 8443});
  for (const Case& each : cases) {
    Wire wire = world.dial();
    wire->push(each.request);
    world.settle();
    std::string bytes = wire->take(), why;
    auto answer = http_test::take_answer(bytes, false, why);
    ASSERT_TRUE(answer) << each.request << why;
    EXPECT_EQ(answer->status, each.status) << each.request;
    EXPECT_EQ(answer->field("Location").value_or(""), each.location) << each.request;
    EXPECT_EQ(wire->is_ended(), each.status == 400) << each.request;
  }
}

TEST(Pipelining, ARedirectDoesNotDependOnWhatIsBefore) {
  const std::string query(8000, 'q');
  for (std::uint16_t https_port : {std::uint16_t{0}, std::uint16_t{443}}) {
    World world({.https_port = https_port});
    const std::string redirect = get("/dir?" + query);
    for (int before = 0; before < 40; ++before) {
      Wire wire = world.dial();
      std::string requests, expected;
      for (int i = 0; i < before; ++i) {
        requests += get("/a.txt");
        expected += https_port == 0 ? "200 " : "308 ";
      }
      wire->push(requests + redirect);
      world.settle();
      ASSERT_EQ(statuses(wire->take()), expected + (https_port == 0 ? "301 " : "308 ")) << before;
      wire->end();
      world.settle();
    }
  }
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

}  // namespace
