// SPDX-License-Identifier: ISC
// tests/net/worlds.hpp: every stack, with a loop to run it on.
//
// Adding a stack is one World here and its name in AllWorlds; every law in laws_test.cpp then runs
// on it. A World has: loop(), stack(), at(port): where a listener on `port` is reached.

#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "net/sockets/sockets.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/epoll.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/net/memory_flow.hpp"

// Kernel sockets on the loopback interface.
class SocketsWorld {
 public:
  using Stack = net::Sockets;
  explicit SocketsWorld(const net::Endpoint& address = net::ipv4(127, 0, 0, 1, 0))
      : SocketsWorld(net::Sockets::Options{.address = address}) {}
  explicit SocketsWorld(const net::Sockets::Options& options)
      : address_(options.address), stack_(loop_, epoll_, log_, options) {
    epoll_.serve(loop_);
  }
  base::Loop& loop() { return loop_; }
  Stack& stack() { return stack_; }
  unix_target::Epoll& epoll() { return epoll_; }
  base::Log& log() { return log_; }
  net::Endpoint at(std::uint16_t port) const {
    net::Endpoint endpoint = address_;
    endpoint.port = port;
    return endpoint;
  }

 private:
  net::Endpoint address_;
  unix_target::Console console_{2};
  base::Log log_{console_};
  unix_target::Clock clock_;
  unix_target::Epoll epoll_{clock_};
  base::Loop loop_{clock_, epoll_};
  Stack stack_;
};

// Queues of bytes, in simulated time.
class MemoryWorld {
 public:
  using Stack = net::MemoryStack;
  base::Loop& loop() { return loop_; }
  Stack& stack() { return stack_; }
  static net::Endpoint at(std::uint16_t port) { return net::ipv4(192, 0, 2, 1, port); }

 private:
  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  Stack stack_{loop_};
};

// ---- What tests of flows are written with

using base::bytes_of;
using base::Task;
using namespace std::chrono_literals;

// Long enough never to be reached unless something hangs.
inline constexpr base::Duration long_time = 20s;

// So long that not even a machine with forty things to do at once takes it for a hang.
inline constexpr base::Duration hang_after = 150s;

// A condition without which the rest of a coroutine makes no sense.
inline void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}
#define REQUIRE(condition) require((condition), #condition " is false")

template <class Stack>
struct Ends {
  std::optional<typename Stack::Flow> client;
  std::optional<typename Stack::Flow> server;
};

template <class Stack>
Task<void> accept_into(typename Stack::Listener& listener,
                       std::optional<typename Stack::Flow>& out) {
  auto accepted = co_await listener.accept();
  REQUIRE(accepted.has_value());
  out.emplace(std::move(*accepted));
}

// Ends a loop that would hang.
class Watchdog final : public base::Timer {
 public:
  explicit Watchdog(base::Loop& loop) : Timer(loop), loop_(loop) {
    arm(loop.clock().now() + hang_after);
  }
  void expired() override { loop_.stop(); }

 private:
  base::Loop& loop_;
};

// Runs `task` to its end on the world's loop, and what it spawned; a hang is a failure.
template <class World>
void run(World& world, Task<void> task) {
  world.loop().on_exception = [](std::string_view what) noexcept { ADD_FAILURE() << what; };
  world.loop().spawn(std::move(task));
  Watchdog watchdog(world.loop());
  world.loop().run();
  EXPECT_EQ(world.loop().spawned_count(), 0U) << "a task hangs";
}

// Lets everything run that is ready to.
template <class World>
Task<void> settle(World& world) {
  for (int i = 0; i < 5; ++i) co_await world.loop().sleep_for(1ms);
}

// Two connected ends.
template <class World>
Task<void> connect(World& world, Ends<typename World::Stack>& ends) {
  using Stack = typename World::Stack;
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  world.loop().spawn(accept_into<Stack>(*listener, ends.server));
  const net::Endpoint at = world.at(listener->port());
  auto client = co_await world.stack().connect(at, long_time);
  REQUIRE(client.has_value());
  ends.client.emplace(std::move(*client));
  while (!ends.server) co_await world.loop().sleep_for(1ms);
}

template <class Flow>
Task<bool> send(Flow& flow, std::string_view text) {
  const net::Piece piece{bytes_of(text)};
  auto answer = co_await flow.write({&piece, 1}, long_time);
  co_return answer.has_value();
}

// Reads until `count` bytes are there, or an error; gives what came.
template <class Flow>
Task<std::string> receive(Flow& flow, std::size_t count) {
  std::string got;
  while (got.size() < count) {
    auto bytes = co_await flow.read(count - got.size(), long_time);
    if (!bytes) break;
    got += base::text_of(*bytes);
  }
  co_return got;
}

// Reads to the end and gives why it ended.
template <class Flow>
Task<net::Error> drain(Flow& flow, std::string& into) {
  for (;;) {
    auto bytes = co_await flow.read(65536, long_time);
    if (!bytes) co_return bytes.error();
    into += base::text_of(*bytes);
  }
}

// `count` bytes in which each place is told from its neighbours.
inline std::string pattern(std::size_t count) {
  std::string text(count, '\0');
  for (std::size_t i = 0; i < count; ++i) {
    text[i] = static_cast<char>((i * 131 + (i >> 8) * 7 + (i >> 16)) & 0xff);
  }
  return text;
}
