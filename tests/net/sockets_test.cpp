// SPDX-License-Identifier: ISC
// tests/net/sockets_test.cpp: what kernel sockets add to the laws: peers that vanish, edges that
// fall together, ports, and what a connection costs.
//
// Method: the stack under test on one side, plain blocking sockets (Raw) on the other, so that what
// arrives together is decided by the test.

#include <sys/mman.h>

#include "tests/base/allocations.hpp"
#include "tests/net/raw_peer.hpp"

namespace {

// ---- Peers that vanish

Task<void> read_from_reset(SocketsWorld& world) {
  Served served = co_await serve_one(world);
  served.client.vanish();
  for (int i = 0; i < 2; ++i) {
    auto bytes = co_await served.flow.read(10, long_time);
    REQUIRE(!bytes.has_value());
    EXPECT_EQ(bytes.error(), net::Error::reset);
  }
}
TEST_F(SocketsTest, AReadFromAPeerThatVanishedIsReset) { run(world, read_from_reset(world)); }

Task<void> reset_while_reading(SocketsWorld& world) {
  Served served = co_await serve_one(world);
  auto later = [](SocketsWorld& where, Raw& client) -> Task<void> {
    co_await settle(where);
    client.vanish();
  };
  world.loop().spawn(later(world, served.client));
  auto bytes = co_await served.flow.read(10, long_time);
  REQUIRE(!bytes.has_value());
  EXPECT_EQ(bytes.error(), net::Error::reset);
}
TEST_F(SocketsTest, AWaitingReadIsResetWhenThePeerVanishes) {
  run(world, reset_while_reading(world));
}

Task<void> reset_while_writing(SocketsWorld& world) {
  Served served = co_await serve_one(world);
  auto later = [](SocketsWorld& where, Raw& client) -> Task<void> {
    co_await settle(where);
    client.vanish();
  };
  world.loop().spawn(later(world, served.client));
  const std::string much(32 << 20, 'x');
  const net::Piece piece{bytes_of(much)};
  auto answer = co_await served.flow.write({&piece, 1}, long_time);
  REQUIRE(!answer.has_value());
  EXPECT_EQ(answer.error(), net::Error::reset);
  EXPECT_FALSE(co_await send(served.flow, "x"));
}
TEST_F(SocketsTest, AWaitingWriteIsResetWhenThePeerVanishes) {
  run(world, reset_while_writing(world));
}

// ---- Data and the end in one edge: the edge must not be used up by the data

Task<void> end_with_data(SocketsWorld& world, bool watched_before) {
  Served served = co_await serve_one(world);
  if (watched_before) {
    auto nothing = co_await served.flow.read(100, 1ms);
    REQUIRE(!nothing.has_value());
  }
  served.client.send("all that I say");
  served.client.end();
  auto bytes = co_await served.flow.read(100, long_time);
  REQUIRE(bytes.has_value());
  EXPECT_EQ(base::text_of(*bytes), "all that I say");
  auto end = co_await served.flow.read(100, long_time);
  REQUIRE(!end.has_value());
  EXPECT_EQ(end.error(), net::Error::ended);
  EXPECT_TRUE(co_await send(served.flow, "half-closed, not closed"));
  EXPECT_EQ(served.client.receive(23), "half-closed, not closed");
}
TEST_F(SocketsTest, DataAndEndTogetherAreBothSeen) {
  run(world, end_with_data(world, false));
  run(world, end_with_data(world, true));
}

// ---- What a connection costs

// Counts registrations with epoll.
class CountingDescriptors final : public base::Descriptors {
 public:
  explicit CountingDescriptors(base::Descriptors& below) : below_(below) {}
  bool watch(int fd, base::Watch& watch) noexcept override {
    ++count;
    return !refuses && below_.watch(fd, watch);
  }
  void forget(int fd, base::Watch& watch) noexcept override { below_.forget(fd, watch); }
  int count = 0;
  bool refuses = false;

 private:
  base::Descriptors& below_;
};

Task<void> one_request(SocketsWorld& world, CountingDescriptors& descriptors, int& watched) {
  net::Sockets stack(world.loop(), descriptors, world.log(), {.address = world.at(0)});
  auto listener = stack.listen(0);
  REQUIRE(listener.has_value());
  EXPECT_EQ(descriptors.count, 1);
  Raw client(listener->port());
  client.send("request");
  auto flow = co_await listener->accept();
  REQUIRE(flow.has_value());
  auto request = co_await flow->read(100, long_time);
  REQUIRE(request.has_value());
  EXPECT_TRUE(co_await send(*flow, "answer"));
  flow->close();
  EXPECT_EQ(client.receive(100), "answer");
  watched = descriptors.count - 1;
}
TEST_F(SocketsTest, AConnectionOfOneRequestIsNeverRegistered) {
  CountingDescriptors descriptors(world.epoll());
  int watched = -1;
  run(world, one_request(world, descriptors, watched));
  EXPECT_EQ(watched, 0);
}

Task<void> refused_watch(SocketsWorld& world, CountingDescriptors& descriptors) {
  net::Sockets stack(world.loop(), descriptors, world.log(), {.address = world.at(0)});
  auto listener = stack.listen(0);
  REQUIRE(listener.has_value());
  Raw client(listener->port());
  auto flow = co_await listener->accept();
  REQUIRE(flow.has_value());
  descriptors.refuses = true;
  for (int i = 0; i < 2; ++i) {
    auto bytes = co_await flow->read(100, long_time);
    REQUIRE(!bytes.has_value());
    EXPECT_EQ(bytes.error(), net::Error::reset);
  }
  auto second = stack.listen(0);
  EXPECT_FALSE(second.has_value());
}
TEST_F(SocketsTest, AKernelThatWatchesNoMoreBreaksTheFlowOnly) {
  CountingDescriptors descriptors(world.epoll());
  run(world, refused_watch(world, descriptors));
}

Task<void> echo(Flow& flow) {
  for (;;) {
    auto bytes = co_await flow.read(4096, 1s);
    if (!bytes) co_return;
    const net::Piece pieces[] = {{*bytes}, {bytes_of("!")}};
    auto answer = co_await flow.write(pieces, 1s);
    if (!answer) co_return;
  }
}
Task<void> count_allocations(SocketsWorld& world, std::size_t& before, std::size_t& after) {
  Served served = co_await serve_one(world);
  const net::Endpoint at = world.at(served.listener.port());
  auto client = co_await world.stack().connect(at, long_time);
  REQUIRE(client.has_value());
  auto server = co_await served.listener.accept();
  REQUIRE(server.has_value());
  world.loop().spawn(echo(*server));
  const net::Piece piece{bytes_of("ping")};
  for (int i = 0; i < 110; ++i) {
    if (i == 10) before = allocation_count();
    auto put = co_await client->write({&piece, 1}, 1s);
    REQUIRE(put.has_value());
    auto got = co_await client->read(100, 1s);
    REQUIRE(got.has_value());
  }
  after = allocation_count();
  client->close();
  co_await settle(world);
}
TEST_F(SocketsTest, ARequestAllocatesNothing) {
  std::size_t before = 0;
  std::size_t after = 1;
  run(world, count_allocations(world, before, after));
  EXPECT_EQ(after, before);
}

// One gibibyte that takes no memory: the kernel's zero page.
class ZeroGibibyte {
 public:
  ZeroGibibyte()
      : start_(mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    REQUIRE(start_ != MAP_FAILED);
  }
  ~ZeroGibibyte() { munmap(start_, size_bytes); }
  net::Bytes bytes() const { return {static_cast<const std::byte*>(start_), size_bytes}; }
  static constexpr std::size_t size_bytes = std::size_t{1} << 30;

 private:
  void* start_;
};
Task<void> large_body(SocketsWorld& world) {
  Ends<net::Sockets> ends;
  co_await connect(world, ends);
  ZeroGibibyte body;
  auto send_all = [](Flow& flow, net::Bytes bytes) -> Task<void> {
    const net::Piece pieces[] = {{bytes_of("head")}, {bytes, true}, {bytes_of("tail")}};
    auto answer = co_await flow.write(pieces, long_time);
    EXPECT_TRUE(answer.has_value());
    flow.close();
  };
  world.loop().spawn(send_all(*ends.server, body.bytes()));
  std::size_t count = 0;
  std::string last;
  for (;;) {
    auto bytes = co_await ends.client->read(1 << 20, long_time);
    if (!bytes) break;
    count += bytes->size();
    last += base::text_of(*bytes);
    last.erase(0, last.size() - std::min<std::size_t>(4, last.size()));
  }
  EXPECT_EQ(count, ZeroGibibyte::size_bytes + 8);
  EXPECT_EQ(last, "tail");
}
TEST_F(SocketsTest, ABodyOfAGibibyteArrivesWhole) { run(world, large_body(world)); }

// ---- A coroutine that is destroyed while it waits

struct Detached {
  struct promise_type {
    Detached get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<> handle;
};
Detached wait_for_read(Flow& flow, bool& resumed) {
  auto bytes = co_await flow.read(10, long_time);
  resumed = bytes.has_value() || !bytes.has_value();
}
Detached wait_for_write(Flow& flow, const net::Piece& piece, bool& resumed) {
  auto answer = co_await flow.write({&piece, 1}, long_time);
  resumed = answer.has_value() || !answer.has_value();
}
Detached wait_for_accept(Listener& listener, bool& resumed) {
  auto flow = co_await listener.accept();
  resumed = flow.has_value() || !flow.has_value();
}

Task<void> destroy_waiting(SocketsWorld& world) {
  Served served = co_await serve_one(world);
  bool resumed = false;
  const std::string much(32 << 20, 'x');
  const net::Piece piece{bytes_of(much)};
  Detached waits[] = {wait_for_read(served.flow, resumed),
                      wait_for_write(served.flow, piece, resumed),
                      wait_for_accept(served.listener, resumed)};
  co_await settle(world);
  for (Detached& wait : waits) wait.handle.destroy();
  served.client.send("nobody reads this");
  Raw another(served.listener.port());
  co_await settle(world);
  EXPECT_FALSE(resumed);
  // And the flow is still of use.
  auto bytes = co_await served.flow.read(17, long_time);
  REQUIRE(bytes.has_value());
  EXPECT_EQ(base::text_of(*bytes), "nobody reads this");
  auto flow = co_await served.listener.accept();
  EXPECT_TRUE(flow.has_value());
}
TEST_F(SocketsTest, ADestroyedCoroutineWaitsNoMore) { run(world, destroy_waiting(world)); }

// The flow goes while a read and a write of other coroutines wait on it.
Task<void> destroy_flow(SocketsWorld& world) {
  std::optional<Served> served(co_await serve_one(world));
  const std::string much(32 << 20, 'x');
  const net::Piece piece{bytes_of(much)};
  bool read = false;
  bool written = false;
  Detached reader = wait_for_read(served->flow, read);
  Detached writer = wait_for_write(served->flow, piece, written);
  co_await settle(world);
  EXPECT_EQ(world.stack().flow_count(), 1U);
  served.reset();
  EXPECT_FALSE(read || written);
  co_await settle(world);
  EXPECT_TRUE(read && written);
  EXPECT_EQ(world.stack().flow_count(), 0U);
  reader.handle.destroy();
  writer.handle.destroy();
}
TEST_F(SocketsTest, WhoWaitsOnADestroyedFlowIsToldSo) { run(world, destroy_flow(world)); }

// A read and a write that become possible in the same turn: both are answered.
Task<void> both_at_once(SocketsWorld& world) {
  Served served = co_await serve_one(world);
  const std::string much(16 << 20, 'x');
  const net::Piece piece{bytes_of(much)};
  bool read = false;
  bool written = false;
  Detached reader = wait_for_read(served.flow, read);
  Detached writer = wait_for_write(served.flow, piece, written);
  co_await settle(world);
  served.client.send("now");
  served.client.vanish();
  co_await settle(world);
  EXPECT_TRUE(read && written);
  reader.handle.destroy();
  writer.handle.destroy();
}
TEST_F(SocketsTest, AReadAndAWriteAreAnsweredInTheSameTurn) { run(world, both_at_once(world)); }

// ---- Connecting

Task<void> refused(SocketsWorld& world) {
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  const net::Endpoint at = world.at(listener->port());
  listener->close();
  auto flow = co_await world.stack().connect(at, long_time);
  REQUIRE(!flow.has_value());
  EXPECT_EQ(flow.error(), net::Error::reset);
}
TEST_F(SocketsTest, AConnectToAClosedPortIsReset) { run(world, refused(world)); }

}  // namespace
