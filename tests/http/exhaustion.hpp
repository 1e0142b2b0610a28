// SPDX-License-Identifier: ISC
// tests/http/exhaustion.hpp: the allocation law, on a server over kernel sockets and what is above.
//
// Law:     with the Nth allocation of a serving run failing, for every N, and with all failing for
//          a while, the program lives, and serves well-behaved clients afterwards.
// Method:  the server's thread is the one whose allocations fail (tests/base/allocations.hpp); the
//          clients are another thread's. Each N has a server of its own: what was allocated once is
//          used again. Start-up is not part of it.

#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "http/server.hpp"
#include "net/sockets/sockets.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/epoll.hpp"
#include "tests/base/allocations.hpp"
#include "tests/http/socket_peer.hpp"

namespace http_test {

using namespace std::chrono_literals;

inline constexpr std::size_t large_bytes = 300'000;

// One connection: what it asked for came whole. Failures are answers too: nothing is thrown.
inline bool ask(std::uint16_t port, SecurePeers* secure, const std::string& request,
                const std::string& end) {
  try {
    std::unique_ptr<Peer> peer = std::make_unique<SocketPeer>("127.0.0.1", std::to_string(port));
    if (secure != nullptr) peer = secure->make(std::move(peer));
    peer->send(request);
    std::string got;
    while (!got.ends_with(end) && peer->receive(got)) {
    }
    return got.ends_with(end);
  } catch (const std::exception&) {
    return false;
  }
}

inline bool ask_for(std::uint16_t port, SecurePeers* secure, const std::string& path,
                    const std::string& end) {
  return ask(port, secure, "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n", end);
}

// What clients do while allocations fail, and afterwards.
struct Http1Clients {
  static void visit(std::uint16_t port, SecurePeers* secure) {
    ask_for(port, secure, "/small", "small body");
    ask_for(port, secure, "/large", std::string(1000, 'x'));
    ask(port, secure,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /none HTTP/1.1\r\n"
        "Host: a\r\nConnection: close\r\n\r\n",
        "</html>\n");
    ask(port, secure,
        "GET /small HTTP/1.1\r\nHost: a\r\nX: " + std::string(12'000, 'y') + "\r\n\r\n",
        "small body");
  }
  static bool are_served(std::uint16_t port, SecurePeers* secure) {
    return ask_for(port, secure, "/small", "small body") &&
           ask_for(port, secure, "/large", std::string(1000, 'x'));
  }
};

// The server's stack: the kernel's sockets.
struct PlainStack {
  using Stack = net::Sockets;
  PlainStack(net::Sockets& sockets, base::Loop&) : stack(sockets) {}
  Stack& stack;
};

// A server over kernel sockets, or over what `Layer` puts above them, on this thread's loop.
template <class Store, class Layer = PlainStack>
class Served {
 public:
  explicit Served(Store& store, const http::Options& options = {})
      : store_(store), options_(options) {
    loop_.on_exception = [](std::string_view what) noexcept {
      if (what != "std::bad_alloc") base::panic(__FILE__, __LINE__, "another exception");
    };
    epoll_.serve(loop_);
  }
  ~Served() {
    if (server_) {
      server_->drain();
      for (int i = 0; i < 2000 && loop_.spawned_count() > 0; ++i) loop_.turn(loop_.now() + 5ms);
      EXPECT_EQ(loop_.spawned_count(), 0U);
    }
  }
  std::uint16_t start() {
    server_.emplace(store_, layer_.stack, loop_, options_, log_);
    EXPECT_TRUE(server_->listen(0).has_value());
    loop_.spawn(server_->run());
    for (int i = 0; i < 3; ++i) loop_.turn(loop_.now());
    return server_->port();
  }
  // Turns the loop until `done`.
  void serve(const std::atomic<bool>& done) {
    while (!done) loop_.turn(loop_.now() + 2ms);
  }

 private:
  Store& store_;
  const http::Options options_;
  unix_target::Console console_{2};
  base::Log notes_{console_, base::LogLevel::error};
  unix_target::Clock clock_;
  unix_target::Epoll epoll_{clock_};
  base::Loop loop_{clock_, epoll_};
  net::Sockets sockets_{loop_, epoll_, notes_,
                        net::Sockets::Options{.address = net::ipv4(127, 0, 0, 1, 0)}};
  Layer layer_{sockets_, loop_};
  http::AccessLog log_{console_, loop_, http::LogFormat::off};
  std::optional<http::Server<Store, typename Layer::Stack>> server_;
};

// Runs `client` in a thread of its own and the server in this one, until the client has ended.
template <class World, class Client>
void run_beside(World& world, const Client& client) {
  std::atomic<bool> done = false;
  std::thread thread;
  {
    const Spared spared;
    thread = std::thread([&] {
      client();
      done = true;
    });
  }
  world.serve(done);
  thread.join();
}

using MakePeers = std::function<std::unique_ptr<SecurePeers>()>;
inline std::unique_ptr<SecurePeers> no_tls() { return nullptr; }

// `skipped` allocations succeed, then `count` fail. Gives how many have failed.
template <class Clients, class MakeWorld>
std::size_t run_failing(const MakeWorld& make_world, const MakePeers& make_peers,
                        std::size_t skipped, std::size_t count) {
  auto world = make_world();
  auto secure = make_peers();
  const std::uint16_t port = world->start();
  std::size_t failed = 0;
  {
    FailingAllocations failing(skipped, count);
    run_beside(*world, [&] { Clients::visit(port, secure.get()); });
    failed = FailingAllocations::failed_count();
  }
  secure = make_peers();  // somebody else
  bool served = false;
  run_beside(*world, [&] { served = Clients::are_served(port, secure.get()); });
  EXPECT_TRUE(served) << "after allocation " << skipped << " failed";
  return failed;
}

template <class Clients = Http1Clients, class MakeWorld>
void check_every(const MakeWorld& make_world, const MakePeers& make_peers, std::size_t step) {
  std::size_t n = 0;
  while (run_failing<Clients>(make_world, make_peers, n, 1) > 0 && !::testing::Test::HasFailure()) {
    n += step;
  }
  EXPECT_GT(n, 0U) << "nothing was allocated: this tests nothing";
  std::printf("%zu allocations, every %zuth failed once\n", n, step);
  for (std::size_t skipped : {0U, 3U, 10U}) {
    run_failing<Clients>(make_world, make_peers, skipped, FailingAllocations::all);
  }
}

}  // namespace http_test
