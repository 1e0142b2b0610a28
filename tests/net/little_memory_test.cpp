// SPDX-License-Identifier: ISC
// tests/net/little_memory_test.cpp: our own stack within a bound on its memory.
//
// Method:  an HTTP server on a stack that faces itself in a Mirror, in simulated time, so both ends
//          share the bound (net/lwip/memory.hpp); a crowd takes all it can get, and an honest
//          client must get its page nevertheless.

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "http/server.hpp"
#include "kv/memory/memory.hpp"
#include "net/lwip/memory.hpp"
#include "tests/net/lwip_world.hpp"
#include "tests/net/worlds.hpp"

namespace {

using net::LwipWorld;
using net::lwip::Memory;

class LittleMemory : public ::testing::Test {
 protected:
  static constexpr std::size_t limit = std::size_t{2} << 20;
  static constexpr std::size_t connections_max = 220;  // of both ends

  LittleMemory()
      : page_(pattern(50'000)), server_(store_, world_.stack(), world_.loop(), {}, log_) {
    Memory::set_limit(limit, connections_max);
    store_.put(kv::Key("page"), page_);
    EXPECT_TRUE(server_.listen(80).has_value());
    world_.loop().spawn(server_.run());
    turn(1s);
  }
  ~LittleMemory() override {
    crowd_.clear();
    server_.drain();
    for (int i = 0; i < 1000 && world_.loop().spawned_count() > 0; ++i) turn(1s);
    EXPECT_EQ(world_.loop().spawned_count(), 0U);
    Memory::set_unlimited();
  }

  void turn(base::Duration time) {
    const base::Instant end = world_.loop().now() + time;
    while (world_.loop().now() < end) {
      world_.loop().turn(end);
      EXPECT_LE(Memory::used(), limit + Memory::reserve_bytes);
    }
  }
  // Opens a connection, says `text` and leaves it at that.
  Task<void> join_crowd(const std::string& text) {
    auto flow = co_await world_.stack().connect(LwipWorld::at(80), 20s);
    if (!flow) co_return;
    crowd_.push_back(std::move(*flow));
    const net::Piece piece{base::bytes_of(text)};
    auto written = co_await crowd_.back().write({&piece, 1}, 5s);
    static_cast<void>(written);
  }
  Task<void> get_page(bool& served) {
    auto flow = co_await world_.stack().connect(LwipWorld::at(80), 20s);
    if (!flow) co_return;
    const std::string request = "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const net::Piece piece{base::bytes_of(request)};
    auto written = co_await flow->write({&piece, 1}, 20s);
    if (!written) co_return;
    std::string got;
    for (;;) {
      auto bytes = co_await flow->read(65536, 20s);
      if (!bytes) break;
      got += base::text_of(*bytes);
    }
    served = got.starts_with("HTTP/1.1 200") && got.ends_with(page_);
  }
  void expect_service(const char* when) {
    bool served = false;
    world_.loop().spawn(get_page(served));
    for (int i = 0; i < 100 && !served; ++i) turn(200ms);
    EXPECT_TRUE(served) << when;
  }

  LwipWorld world_;
  std::string page_;
  kv::Memory store_;
  net::Lines lines_;
  http::AccessLog log_{lines_, world_.loop(), http::LogFormat::off};
  http::Server<kv::Memory, net::Lwip> server_;
  std::deque<net::Lwip::Flow> crowd_;
};

TEST_F(LittleMemory, ACrowdThatReadsNothing) {
  expect_service("before");
  std::string greedy;
  for (int i = 0; i < 20; ++i) greedy += "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
  for (int i = 0; i < 80; ++i) {
    world_.loop().spawn(join_crowd(greedy));
    turn(10ms);
  }
  turn(1s);
  RecordProperty("used", static_cast<int>(Memory::used()));
  EXPECT_GT(Memory::used(), limit / 2) << "the crowd takes what it can get";
  expect_service("during it");
  crowd_.clear();
  turn(60s);
  expect_service("after");
}

TEST_F(LittleMemory, ACrowdThatSendsWhatNobodyReads) {
  const std::string request = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string greedy;
  while (greedy.size() < 60'000) greedy += request;
  for (int i = 0; i < 80; ++i) {
    world_.loop().spawn(join_crowd(greedy));
    turn(10ms);
  }
  turn(1s);
  expect_service("during it");
}

}  // namespace
