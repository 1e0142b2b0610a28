// SPDX-License-Identifier: ISC
// tests/http/client/client_test.cpp: a client and a server that means it no good.
//
// Method:  the test holds the other end of each connection in memory; time is simulated.

#include "http/client/client.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/base/simulated_time.hpp"
#include "tests/net/archetype.hpp"
#include "tests/net/memory_flow.hpp"

// A client asks of its connectors what the concept says, and no more.
template class http::client::Client<net::ArchetypeConnector, net::ArchetypeConnector>;

namespace {

using namespace std::chrono_literals;
using http::client::Error;
using http::client::Fetched;
using http::client::Limits;
using http::client::Method;
using http::client::Request;

// Opens connections whose other ends are in `wires`.
class Connector {
 public:
  using Flow = net::MemoryFlow;
  explicit Connector(base::Loop& loop) : loop_(loop) {}
  base::Ready<net::ConnectResult<Flow>> connect(std::string_view host, std::uint16_t port,
                                                base::Duration) {
    asked.push_back(std::string(host) + " " + std::to_string(port));
    if (refuses) return {base::failure(net::ConnectFailure{net::Error::reset, "it is away"})};
    wires.push_back(std::make_shared<net::MemoryWire>(loop_, faults));
    return {Flow(wires.back(), 0)};
  }
  bool refuses = false;
  net::MemoryFaults faults;
  std::vector<std::string> asked;
  std::vector<std::shared_ptr<net::MemoryWire>> wires;

 private:
  base::Loop& loop_;
};
static_assert(net::Connector<Connector>);

struct World {
  base::SimulatedTime time;
  base::Loop loop{time, time};
  Connector plain{loop};
  Connector secure{loop};
  http::client::Client<Connector, Connector> client{loop, plain, secure};
  std::optional<Fetched> answer;
  base::Instant done{};

  base::Task<void> fetch(std::string url, Request request, Limits limits) {
    Fetched fetched = co_await client.fetch(url, request, limits);
    answer.emplace(std::move(fetched));
    done = loop.now();
  }
  void start(std::string url, Request request = {}, Limits limits = {}) {
    loop.spawn(fetch(std::move(url), std::move(request), limits));
    settle();
  }
  // Until nothing is due now.
  void settle() {
    for (int i = 0; i < 20; ++i) loop.turn(loop.now());
  }
  void run_for(base::Duration duration) {
    const base::Instant until = loop.now() + duration;
    while (loop.now() < until && !answer) loop.turn(until);
  }
  // A byte of `text` each `pause`, until there is an answer.
  void drip(net::MemoryWire& wire, const std::string& text, base::Duration pause) {
    for (std::size_t i = 0; !answer && i < 1000; ++i) {
      wire.push(text.substr(i % text.size(), 1));
      run_for(pause);
    }
  }
  [[nodiscard]] std::optional<Error> error() const {
    return answer && !*answer ? std::optional(answer->error().error) : std::nullopt;
  }
};

constexpr const char* hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST(Client, AsksAndIsAnswered) {
  World world;
  world.start("http://a.example:81/b?c", {Method::post, "", "", {{"A", "b"}}, "body"});
  ASSERT_EQ(world.plain.asked, std::vector<std::string>{"a.example 81"});
  net::MemoryWire& wire = *world.plain.wires.at(0);
  EXPECT_EQ(wire.take(),
            "POST /b?c HTTP/1.1\r\nHost: a.example:81\r\nConnection: close\r\nA: b\r\n"
            "Content-Length: 4\r\n\r\nbody");
  wire.push(hello);
  world.settle();
  ASSERT_TRUE(world.answer && *world.answer);
  EXPECT_EQ((*world.answer)->status, 200);
  EXPECT_EQ((*world.answer)->body, "hello");
  EXPECT_TRUE(wire.is_closed());
}

TEST(Client, SaysWhyItIsNotConnected) {
  World world;
  world.secure.refuses = true;
  world.start("https://a.example/");
  EXPECT_EQ(world.secure.asked, std::vector<std::string>{"a.example 443"});
  EXPECT_EQ(world.error(), Error::not_connected);
  EXPECT_EQ(world.answer->error().what, "it is away");
  World other;
  other.start("file:///etc/passwd");
  EXPECT_EQ(other.error(), Error::malformed_url);
  EXPECT_EQ(other.answer->error().what, "file:///etc/passwd: this is not a URL of http or https");
}

TEST(Client, WaitsForProgressAndForTheWhole) {
  const Limits limits;
  {
    World world;  // nothing comes
    world.start("http://a/");
    world.run_for(limits.progress + 1s);
    EXPECT_EQ(world.error(), Error::timed_out);
    EXPECT_EQ(world.done, base::Instant{} + limits.progress);
    EXPECT_TRUE(world.plain.wires[0]->is_closed());
  }
  {
    World world;  // something always comes: an endless head, then an endless body
    world.start("http://a/");
    world.drip(*world.plain.wires[0], "HTTP/1.1 200 OK\r\nA: bbbbbbbbbbbbbbbbbbbb", 3s);
    EXPECT_EQ(world.error(), Error::timed_out);
    EXPECT_EQ(world.done, base::Instant{} + limits.total);
  }
  {
    World world;  // the peer takes nothing, or a little now and then
    Request large{Method::post, "", "", {}, std::string(std::size_t{4} << 20U, 'x')};
    world.start("http://a/", large);
    net::MemoryWire& wire = *world.plain.wires[0];
    for (int i = 0; i < 100 && !world.answer; ++i) {
      wire.pipes[1].take(1);
      world.run_for(3s);
    }
    EXPECT_EQ(world.error(), Error::timed_out);
    EXPECT_EQ(world.done, base::Instant{} + limits.total);
  }
}

TEST(Client, SeesThatTheConnectionBreaks) {
  const std::string whole = hello;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    for (const bool ends : {true, false}) {
      World world;
      world.start("http://a/");
      net::MemoryWire& wire = *world.plain.wires[0];
      wire.push(whole.substr(0, size));
      world.settle();
      ends ? wire.end() : wire.break_off();
      world.settle();
      EXPECT_EQ(world.error(), Error::broken) << size;
      EXPECT_TRUE(wire.is_closed());
    }
  }
}

TEST(Client, FollowsRedirectsOnlyOnRequest) {
  const std::string moved =
      "HTTP/1.1 302 Found\r\nLocation: https://b.example/c\r\nContent-Length: 0\r\n\r\n";
  {
    World world;
    world.start("http://a/");
    world.plain.wires[0]->push(moved);
    world.settle();
    ASSERT_TRUE(world.answer && *world.answer);
    EXPECT_EQ((*world.answer)->status, 302);
  }
  Limits limits;
  limits.redirects_max = 3;
  {
    World world;
    world.start("http://a/", {}, limits);
    world.plain.wires[0]->push(moved);
    world.settle();
    EXPECT_TRUE(world.plain.wires[0]->is_closed());
    ASSERT_EQ(world.secure.asked, std::vector<std::string>{"b.example 443"});
    world.secure.wires[0]->push(hello);
    world.settle();
    ASSERT_TRUE(world.answer && *world.answer);
    EXPECT_EQ((*world.answer)->body, "hello");
  }
  {
    World world;  // in a circle, slowly: the whole has one deadline
    world.start("https://a/", {}, limits);
    for (std::size_t i = 0; i < 4; ++i) {
      ASSERT_EQ(world.secure.wires.size(), i + 1);
      world.secure.wires[i]->push(moved);
      world.settle();
    }
    EXPECT_EQ(world.error(), Error::too_many_redirects);
  }
  {
    World world;
    limits.total = 10s;
    world.start("https://a/", {}, limits);
    for (std::size_t i = 0; i < 3; ++i) {
      world.run_for(4s);
      if (world.answer) break;
      world.secure.wires[i]->push(moved);
      world.settle();
    }
    EXPECT_EQ(world.error(), Error::timed_out);
    EXPECT_EQ(world.done, base::Instant{} + 10s);
  }
}

TEST(Client, EachFailingOperationIsAnError) {
  for (std::uint64_t n = 1; n < 10; ++n) {
    World world;
    world.plain.faults.fail_at = n;
    world.start("http://a/");
    world.plain.wires[0]->push(hello);
    world.settle();
    ASSERT_TRUE(world.answer);
    if (*world.answer) {
      EXPECT_GT(n, 2U);
      return;
    }
    EXPECT_EQ(world.error(), Error::broken);
  }
  FAIL() << "it never succeeds";
}

TEST(Client, OneThatIsGivenUpClosesItsConnection) {
  World world;
  world.start("http://a/");
  ASSERT_EQ(world.plain.wires.size(), 1U);
  world.loop.destroy_tasks();
  EXPECT_TRUE(world.plain.wires[0]->is_closed());
}

}  // namespace
