// SPDX-License-Identifier: ISC
// tests/http/allocation_test.cpp: what the server allocates.
//
// Method:  operator new is replaced by one that counts; requests are served over the stack without
//          a network from a store that never waits.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "http/site/compile.hpp"
#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {
std::atomic<std::uint64_t> allocations = 0;
std::atomic<std::int64_t> live_bytes = 0;
}  // namespace

// The size stands in front of the block, in one alignment's worth of bytes.
void* operator new(std::size_t size) {
  constexpr std::size_t front = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  void* block = std::malloc(size + front);
  if (block == nullptr) throw std::bad_alloc();
  ++allocations;
  live_bytes += static_cast<std::int64_t>(size);
  *static_cast<std::size_t*>(block) = size;
  return static_cast<char*>(block) + front;
}
void operator delete(void* bytes) noexcept {
  if (bytes == nullptr) return;
  void* block = static_cast<char*>(bytes) - __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  live_bytes -= static_cast<std::int64_t>(*static_cast<std::size_t*>(block));
  std::free(block);
}
void operator delete(void* bytes, std::size_t) noexcept { operator delete(bytes); }

namespace {

using World = http_test::World<http_test::ScriptedStore>;
using http_test::get;

// A store like the one that is linked into images: a lookup allocates nothing.
TEST(Allocation, NoneForARequest) {
  const std::string requests[] = {
      get("/a.txt"),
      get("/large.bin"),
      get("/style.css", "Accept-Encoding: gzip, br\r\n"),
      get("/a.txt", "If-None-Match: *\r\n"),
      get("/a.txt", "Range: bytes=1-2\r\n"),
      get("/large.bin", "Range: bytes=1-2000,3000-90000\r\n"),
      get("/dir"),
      get("/noindex/nothing"),
      http_test::ask("HEAD", "/a.txt"),
      http_test::ask("OPTIONS", "*"),
      http_test::ask("POST", "/", "Content-Length: 3\r\n") + "abc",
      http_test::ask("POST", "/", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n",
  };
  World world;
  auto wire = world.dial();
  auto ask = [&](const std::string& request) {
    wire->push(request);
    world.settle();
    wire->pipes[1].take(wire->pipes[1].size());
  };
  for (const std::string& request : requests) {
    for (int i = 0; i < 3; ++i) ask(request);  // buffers grow to what they need
    std::uint64_t before = allocations;
    for (int i = 0; i < 100; ++i) ask(request);
    EXPECT_EQ(allocations - before, 0U) << request;
  }
}

TEST(Allocation, AnIdleConnectionHoldsNoBuffers) {
  World world;
  std::vector<std::shared_ptr<net::MemoryWire>> wires;
  auto dial = [&] {
    wires.push_back(world.dial());
    world.settle();
  };
  dial();
  // Those that have been served hold no more than those that have not.
  std::int64_t before = live_bytes;
  for (int i = 0; i < 300; ++i) dial();
  std::int64_t fresh = live_bytes - before;
  before = live_bytes;
  for (auto& wire : wires) {
    wire->push(get("/a.txt"));
    world.settle();
    for (net::MemoryPipe& pipe : wire->pipes) {  // what the test's own network holds is its own
      pipe.take(pipe.size());
      std::string().swap(pipe.bytes);
      pipe.taken = 0;
    }
  }
  constexpr std::int64_t one_workspace = sizeof(http::Workspace) + 40'000;
  EXPECT_LT(live_bytes - before, one_workspace);
  EXPECT_LT(fresh / 300, 4096);
  RecordProperty("bytes_per_idle_connection", static_cast<int>(fresh / 300));
}

std::shared_ptr<const http::site::Rules> rules_of(const std::string& redirects,
                                                  const std::string& headers) {
  http::site::SiteFiles files;
  files.text = [&](const std::string& key) {
    return std::optional(key == "_redirects" ? redirects : headers);
  };
  files.has = [](const std::string&) { return false; };
  const std::vector<std::byte> plan = http::site::compile({}, {}, files).plan;
  return http::site::Rules::open(plan, false);
}

// Of a site with rules: neither does a request allocate, nor does a connection hold more, whatever
// it asks for and however slowly it takes the answer.
TEST(Allocation, RulesOfASiteCostConnectionsNothing) {
  const std::shared_ptr<const http::site::Rules> rules =
      rules_of("/old/* /:splat 301\n/show /large.bin 200\n", "/*\n  X-A: 1\n");
  ASSERT_NE(rules, nullptr);
  const std::string long_one = "/" + std::string(8000, 'x');
  const std::string requests[] = {get("/a.txt"),
                                  get("/old" + long_one),
                                  get(long_one),
                                  get("/show"),
                                  get("/show", "Range: bytes=1-2000,3000-90000\r\n"),
                                  get("/nothing") + get("/large.bin") + get("/a.txt")};
  std::int64_t held[2] = {};
  for (const bool has_rules : {false, true}) {
    World world;
    if (has_rules) world.server.use(rules);
    auto wire = world.dial();
    for (const std::string& request : requests) {
      std::uint64_t before = 0;
      for (int i = 0; i < 100; ++i) {
        if (i == 3) before = allocations;
        wire->push(request);
        world.settle();
        wire->pipes[1].take(wire->pipes[1].size());
      }
      EXPECT_EQ(allocations - before, 0U) << request;
    }
    // Peers that take nothing of a large value, with another request behind it that waits.
    std::vector<std::shared_ptr<net::MemoryWire>> wires;
    const std::int64_t before = live_bytes;
    for (int i = 0; i < 100; ++i) {
      wires.push_back(world.dial());
      wires.back()->pipes[1].capacity = 100;
      wires.back()->push(get("/large.bin") + get(long_one));
      world.settle();
    }
    held[has_rules ? 1 : 0] = live_bytes - before;
    for (auto& each : wires) each->break_off();
  }
  EXPECT_LT(held[1] - held[0], 40'000);
}

// A head that needed a large buffer leaves none behind, in the connection or in the pool.
TEST(Allocation, LongHeadsHoldNoBuffersAfterwards) {
  World world;
  std::vector<std::shared_ptr<net::MemoryWire>> wires;
  for (int i = 0; i < 50; ++i) wires.push_back(world.dial());
  auto ask = [&](const std::string& request) {
    for (auto& wire : wires) {
      wire->push(request);
      world.settle();
      EXPECT_EQ(http_test::statuses(wire->take()), "200 ");
      for (net::MemoryPipe& pipe : wire->pipes) {
        std::string().swap(pipe.bytes);
        pipe.taken = 0;
      }
    }
  };
  ask(get("/a.txt"));
  std::int64_t before = live_bytes;
  ask(get("/a.txt", "Cookie: " + std::string(30'000, 'c') + "\r\n"));
  EXPECT_LE(live_bytes - before, 0);
}

// Any number of slow peers holds one workspace each, however much they send.
TEST(Allocation, SlowPeersHoldABoundedAmount) {
  World world;
  std::vector<std::shared_ptr<net::MemoryWire>> wires;
  for (int i = 0; i < 100; ++i) wires.push_back(world.dial());
  world.settle();
  for (auto& wire : wires) wire->push("GET /");
  world.settle();
  std::int64_t before = live_bytes;
  for (int i = 0; i < 4000; ++i) {
    for (auto& wire : wires) wire->pipes[0].append("x");
    world.settle();
  }
  EXPECT_LT(live_bytes - before, 100 * 8192);  // the network's own strings
  for (auto& wire : wires) EXPECT_FALSE(wire->is_closed());
}

}  // namespace
