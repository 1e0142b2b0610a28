// SPDX-License-Identifier: ISC
// tests/net/exhaustion_test.cpp: the allocation law, over our own stack.
//
// Law:     with the Nth allocation of a serving run failing, for every N, and with all failing for
//          a while, the program lives, and serves well-behaved clients afterwards.
// Method:  an HTTP server on a stack that faces itself in a Mirror, in simulated time: clients and
//          server, and lwIP's own allocations, are all among those that fail
//          (tests/base/allocations.hpp); the device's, which is the test's, are not. Each N has a
//          world of its own: what was allocated once is used again.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "http/server.hpp"
#include "kv/memory/memory.hpp"
#include "tests/base/allocations.hpp"
#include "tests/net/lwip_world.hpp"

namespace {

using namespace std::chrono_literals;
using base::Task;

// A MemoryDevice whose allocations are nobody's.
class SparedDevice {
 public:
  explicit SparedDevice(base::Loop& loop) : device_(loop, net::mirror_ends.real, 1500) {
    device_.carry = [this](std::string frame) {
      const std::string back = mirror_.reflect(std::move(frame));
      if (!back.empty()) device_.arrive(back);
    };
  }
  [[nodiscard]] net::Mac mac() const { return device_.mac(); }
  [[nodiscard]] std::size_t mtu_bytes() const { return device_.mtu_bytes(); }
  [[nodiscard]] net::Offload offload() const { return device_.offload(); }
  bool send(const net::FrameOut& frame, net::Release release) {
    const Spared spared;
    return device_.send(frame, release);
  }
  std::optional<net::FrameIn> receive() {
    const Spared spared;
    return device_.receive();
  }
  void listen(base::Work* on_frames, base::Work* on_space) { device_.listen(on_frames, on_space); }

 private:
  net::MemoryDevice device_;
  net::Mirror mirror_{net::mirror_ends};
};
static_assert(net::NetDevice<SparedDevice>);

class World {
 public:
  World() : page_(100'000, 'x') {
    loop_.on_exception = [](std::string_view what) noexcept {
      if (what != "std::bad_alloc") base::panic(__FILE__, __LINE__, "another exception");
    };
    store_.put("page", page_);
    EXPECT_TRUE(server_.listen(80).has_value());
    loop_.spawn(server_.run());
    turn(5s);  // addresses are checked, the server accepts
  }
  ~World() {
    server_.drain();
    turn(5min);
    EXPECT_EQ(loop_.spawned_count(), 0U);
    EXPECT_EQ(stack_.flow_count(), 0U);
  }
  void turn(base::Duration time) {
    const base::Instant end = loop_.now() + time;
    while (loop_.now() < end) loop_.turn(end);
  }
  // One after another, as many as `count`; gives how many were served.
  std::size_t visit(std::size_t count) {
    std::size_t served = 0;
    for (std::size_t i = 0; i < count; ++i) {
      try {
        loop_.spawn(get_page(served));
      } catch (const std::bad_alloc&) {
        // The client's own.
      }
      turn(3s);
    }
    return served;
  }

 private:
  Task<void> get_page(std::size_t& served) {
    auto flow = co_await stack_.connect(net::ipv4(10, 0, 0, 2, 80), 10s);
    if (!flow) co_return;
    const std::string_view request = "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const net::Piece piece{base::bytes_of(request)};
    auto written = co_await flow->write({&piece, 1}, 10s);
    std::size_t got = 0;
    while (written) {
      auto bytes = co_await flow->read(65536, 10s);
      if (!bytes) break;
      got += bytes->size();
    }
    served += got > page_.size() ? 1 : 0;
  }

  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  net::Lines lines_;
  base::Log notes_{lines_, base::LogLevel::error};
  net::SeededEntropy entropy_{1};
  SparedDevice device_{loop_};
  net::Lwip stack_{loop_, entropy_, notes_, device_, net::mirror_options()};
  std::string page_;
  kv::Memory store_;
  http::AccessLog log_{lines_, loop_, http::LogFormat::off};
  http::Server<kv::Memory, net::Lwip> server_{store_, stack_, loop_, {}, log_};
};

std::size_t run_failing(std::size_t skipped, std::size_t count) {
  World world;
  std::size_t failed = 0;
  {
    FailingAllocations failing(skipped, count);
    world.visit(2);
    failed = FailingAllocations::failed_count();
  }
  world.turn(2min);
  EXPECT_EQ(world.visit(2), 2U) << "after allocation " << skipped << " failed";
  return failed;
}

TEST(Exhaustion, EachAllocationOfAServingRun) {
  std::size_t n = 0;
  while (run_failing(n, 1) > 0 && !HasFailure()) ++n;
  EXPECT_GT(n, 0U) << "nothing was allocated: this tests nothing";
  std::printf("%zu allocations, each failed once\n", n);
}

TEST(Exhaustion, AllForAWhile) {
  for (std::size_t skipped : {0U, 10U, 50U, 100U, 200U}) {
    run_failing(skipped, FailingAllocations::all);
  }
}

}  // namespace
