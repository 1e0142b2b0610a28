// SPDX-License-Identifier: ISC
// tests/http/exhaustion_test.cpp: the allocation law, over kernel sockets.
//
// Law:     with the Nth allocation of a serving run failing, for every N, and with all failing for
//          a while, the program lives, and serves well-behaved clients afterwards.
// Method:  the server's thread is the one whose allocations fail (tests/base/allocations.hpp); the
//          clients are another thread's. Each N has a server of its own: what was allocated once is
//          used again. Start-up is not part of it. Over TLS every 7th N, and all of them with
//          CRUNCH_EVERY_ALLOCATION=1 in the environment.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "http/server.hpp"
#include "kv/directory/directory.hpp"
#include "kv/memory/memory.hpp"
#include "net/sockets/sockets.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/epoll.hpp"
#include "tests/base/allocations.hpp"
#include "tests/http/socket_peer.hpp"
#ifdef CRUNCH_WITH_TLS
#include "tests/tls/authority.hpp"
#include "tls/over.hpp"
#endif

namespace {

using namespace std::chrono_literals;

constexpr std::size_t large_bytes = 300'000;

// One connection: what it asked for came whole. Failures are answers too: nothing is thrown.
bool ask(std::uint16_t port, http_test::SecurePeers* secure, const std::string& request,
         const std::string& end) {
  try {
    std::unique_ptr<http_test::Peer> peer =
        std::make_unique<http_test::SocketPeer>("127.0.0.1", std::to_string(port));
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

bool ask_for(std::uint16_t port, http_test::SecurePeers* secure, const std::string& path,
             const std::string& end) {
  return ask(port, secure, "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n", end);
}

// What clients do while allocations fail.
void visit(std::uint16_t port, http_test::SecurePeers* secure) {
  ask_for(port, secure, "/small", "small body");
  ask_for(port, secure, "/large", std::string(1000, 'x'));
  ask(port, secure,
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /none HTTP/1.1\r\nHost: a\r\n"
      "Connection: close\r\n\r\n",
      "</html>\n");
  ask(port, secure, "GET /small HTTP/1.1\r\nHost: a\r\nX: " + std::string(12'000, 'y') + "\r\n\r\n",
      "small body");
}

// A server over a stack, on a thread's loop.
template <class Store>
class Plain {
 public:
  explicit Plain(Store& store) : store_(store) {
    loop_.on_exception = [](std::string_view what) noexcept {
      if (what != "std::bad_alloc") base::panic(__FILE__, __LINE__, "another exception");
    };
    epoll_.serve(loop_);
  }
  ~Plain() {
    if (server_) {
      server_->drain();
      for (int i = 0; i < 2000 && loop_.spawned_count() > 0; ++i) loop_.turn(loop_.now() + 5ms);
      EXPECT_EQ(loop_.spawned_count(), 0U);
    }
  }
  std::uint16_t start() {
    server_.emplace(store_, sockets_, loop_, http::Options{}, log_);
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
  unix_target::Console console_{2};
  base::Log notes_{console_, base::LogLevel::error};
  unix_target::Clock clock_;
  unix_target::Epoll epoll_{clock_};
  base::Loop loop_{clock_, epoll_};
  net::Sockets sockets_{loop_, epoll_, notes_,
                        net::Sockets::Options{.address = net::ipv4(127, 0, 0, 1, 0)}};
  http::AccessLog log_{console_, loop_, http::LogFormat::off};
  std::optional<http::Server<Store, net::Sockets>> server_;
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

// `skipped` allocations succeed, then `count` fail. Gives how many have failed.
template <class MakeWorld>
std::size_t run_failing(const MakeWorld& make_world, http_test::SecurePeers* secure,
                        std::size_t skipped, std::size_t count) {
  auto world = make_world();
  const std::uint16_t port = world->start();
  std::size_t failed = 0;
  {
    FailingAllocations failing(skipped, count);
    run_beside(*world, [&] { visit(port, secure); });
    failed = FailingAllocations::failed_count();
  }
  bool served = false;
  run_beside(*world, [&] {
    served = ask_for(port, secure, "/small", "small body") &&
             ask_for(port, secure, "/large", std::string(1000, 'x'));
  });
  EXPECT_TRUE(served) << "after allocation " << skipped << " failed";
  return failed;
}

template <class MakeWorld>
void check_every(const MakeWorld& make_world, http_test::SecurePeers* secure, std::size_t step) {
  std::size_t n = 0;
  while (run_failing(make_world, secure, n, 1) > 0 && !::testing::Test::HasFailure()) n += step;
  EXPECT_GT(n, 0U) << "nothing was allocated: this tests nothing";
  std::printf("%zu allocations, every %zuth failed once\n", n, step);
  for (std::size_t skipped : {0U, 3U, 10U}) {
    run_failing(make_world, secure, skipped, FailingAllocations::all);
  }
}

TEST(Exhaustion, AStoreThatNeverWaits) {
  kv::Memory store;
  store.put("small", "small body");
  store.put("large", std::string(large_bytes, 'x'));
  check_every([&] { return std::make_unique<Plain<kv::Memory>>(store); }, nullptr, 1);
}

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/exhaustion-XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    path = name;
    std::ofstream(path + "/small") << "small body";
    std::ofstream(path + "/large") << std::string(large_bytes, 'x');
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST(Exhaustion, ADirectory) {
  Folder folder;
  std::optional<kv::Directory> store;  // each run's own: it remembers what it has read
  check_every(
      [&] {
        store.emplace(folder.path, kv::Directory::Options{});
        return std::make_unique<Plain<kv::Directory>>(*store);
      },
      nullptr, 1);
}

}  // namespace
