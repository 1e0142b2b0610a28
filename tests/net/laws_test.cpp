// SPDX-License-Identifier: ISC
// tests/net/laws_test.cpp: the laws of net::Flow and net::Stack, by number, on every stack.
//
// Method: each test connects two ends in a World (worlds.hpp) and plays one law on them, in a
// coroutine. Nothing is timed: short durations are only given where running out is what is tested.

#include "tests/net/stack_laws.hpp"
#include "tests/net/worlds.hpp"

namespace {

template <class World>
class FlowLaws : public ::testing::Test {
 protected:
  World world;
};
template <class World>
class StackLaws : public FlowLaws<World> {};

// tests/tls compiles this file again, with its own World.
#ifndef NET_LAWS_WORLDS
#define NET_LAWS_WORLDS SocketsWorld, MemoryWorld
#endif
using AllWorlds = ::testing::Types<NET_LAWS_WORLDS>;
TYPED_TEST_SUITE(FlowLaws, AllWorlds);
TYPED_TEST_SUITE(StackLaws, AllWorlds);

// ---- Law 1

template <class World>
Task<void> law_1(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  const std::string sent = pattern(1000);
  EXPECT_TRUE(co_await send(*ends.client, sent));
  std::string got;
  for (std::size_t n : {1U, 1U, 2U, 7U, 100U, 5000U, 5000U}) {
    if (got.size() == sent.size()) break;
    auto bytes = co_await ends.server->read(n, long_time);
    REQUIRE(bytes.has_value());
    EXPECT_GE(bytes->size(), 1U);
    EXPECT_LE(bytes->size(), n);
    got += base::text_of(*bytes);
  }
  got += co_await receive(*ends.server, sent.size() - got.size());
  EXPECT_EQ(got, sent);
}
TYPED_TEST(FlowLaws, L1_ReadGivesAtLeastOneByteAndAtMostN) { run(this->world, law_1(this->world)); }

// ---- Law 2

template <class World>
Task<void> law_2_end(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  EXPECT_TRUE(co_await send(*ends.client, "last words"));
  auto down = co_await ends.client->shutdown(long_time);
  EXPECT_TRUE(down.has_value());
  std::string got;
  EXPECT_EQ(co_await drain(*ends.server, got), net::Error::ended);
  EXPECT_EQ(got, "last words");
  for (int i = 0; i < 3; ++i) {
    auto again = co_await ends.server->read(10, long_time);
    REQUIRE(!again.has_value());
    EXPECT_EQ(again.error(), net::Error::ended);
  }
}
TYPED_TEST(FlowLaws, L2_AfterTheEndEveryReadAnswersTheEnd) {
  run(this->world, law_2_end(this->world));
}

template <class World>
Task<void> law_2_time(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  for (base::Duration within : {base::Duration(0), base::Duration(5ms)}) {
    auto nothing = co_await ends.server->read(10, within);
    REQUIRE(!nothing.has_value());
    EXPECT_EQ(nothing.error(), net::Error::timed_out);
  }
  EXPECT_TRUE(co_await send(*ends.client, "late"));
  EXPECT_EQ(co_await receive(*ends.server, 4), "late");
}
TYPED_TEST(FlowLaws, L2_AReadMayOutliveATimeout) { run(this->world, law_2_time(this->world)); }

// ---- Law 3

template <class World>
Task<void> law_3_shapes(World& world, std::vector<std::size_t> sizes, bool lasting) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  std::vector<std::string> texts;
  std::vector<net::Piece> pieces;
  std::string sent;
  for (std::size_t size : sizes) texts.push_back(pattern(size + texts.size()).substr(texts.size()));
  for (const std::string& text : texts) {
    pieces.push_back({bytes_of(text), lasting});
    sent += text;
  }
  auto read_all = [](auto& flow, std::string& into, bool& over) -> Task<void> {
    EXPECT_EQ(co_await drain(flow, into), net::Error::ended);
    over = true;
  };
  std::string got;
  bool over = false;
  world.loop().spawn(read_all(*ends.server, got, over));
  auto answer = co_await ends.client->write(pieces, long_time);
  EXPECT_TRUE(answer.has_value());
  auto down = co_await ends.client->shutdown(long_time);
  EXPECT_TRUE(down.has_value());
  while (!over) co_await world.loop().sleep_for(1ms);
  EXPECT_TRUE(got == sent) << got.size() << " of " << sent.size();
}
TYPED_TEST(FlowLaws, L3_WriteTakesEveryPieceInOrder) {
  const std::vector<std::vector<std::size_t>> shapes = {
      {},
      {0},
      {0, 0, 0},
      {1},
      {0, 1, 0},
      {1, 0, 0, 2, 0},
      {100, 100'000, 1},
      std::vector<std::size_t>(200, 3),      // more than one sendmsg takes
      std::vector<std::size_t>(1200, 1),     // more than IOV_MAX
      std::vector<std::size_t>(70, 70'000),  // both, and more than a socket's buffer
      {9'000'000},
  };
  for (const auto& shape : shapes) {
    for (bool lasting : {false, true}) {
      SCOPED_TRACE(::testing::PrintToString(shape.size()) + " pieces");
      run(this->world, law_3_shapes(this->world, shape, lasting));
    }
  }
}

template <class World>
Task<void> law_3_stall(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  const std::string much = pattern(32 << 20);  // more than any buffer on the way
  const net::Piece piece{bytes_of(much)};
  auto stalled = co_await ends.client->write({&piece, 1}, 20ms);
  REQUIRE(!stalled.has_value());
  EXPECT_EQ(stalled.error(), net::Error::timed_out);
  EXPECT_FALSE(co_await send(*ends.client, "x")) << "the stream is broken";
}
TYPED_TEST(FlowLaws, L3_AStalledWriteTimesOutAndBreaksTheStream) {
  run(this->world, law_3_stall(this->world));
}

// A peer that takes a little, again and again, is not stalled, however long the whole takes.
template <class World>
Task<void> law_3_slow(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  auto slow = [](auto& loop, auto& flow, std::size_t& count, bool& ended) -> Task<void> {
    for (;;) {
      co_await loop.sleep_for(1ms);
      std::size_t taken = 0;
      while (taken < 1'000'000) {
        auto bytes = co_await flow.read(65536, long_time);
        if (!bytes) {
          ended = true;
          co_return;
        }
        taken += bytes->size();
      }
      count += taken;
    }
  };
  std::size_t count = 0;
  bool ended = false;
  world.loop().spawn(slow(world.loop(), *ends.server, count, ended));
  const std::string much = pattern(32 << 20);
  const net::Piece piece{bytes_of(much), true};
  auto answer = co_await ends.client->write({&piece, 1}, long_time);
  EXPECT_TRUE(answer.has_value());
  auto down = co_await ends.client->shutdown(long_time);
  EXPECT_TRUE(down.has_value());
  while (!ended) co_await world.loop().sleep_for(1ms);
  EXPECT_GT(count, 0U);
}
TYPED_TEST(FlowLaws, L3_ASlowPeerIsServedToTheEnd) { run(this->world, law_3_slow(this->world)); }

// ---- Law 4

template <class World>
Task<void> law_4(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  const std::string much = pattern(16 << 20);
  auto write_much = [](auto& flow, const std::string& text, bool& written) -> Task<void> {
    written = co_await send(flow, text);
  };
  auto read_little = [](auto& flow, std::string& got) -> Task<void> {
    got = co_await receive(flow, 5);
  };
  bool written = false;
  std::string got;
  world.loop().spawn(write_much(*ends.server, much, written));
  world.loop().spawn(read_little(*ends.server, got));
  co_await settle(world);
  EXPECT_FALSE(written);
  EXPECT_EQ(got, "");
  EXPECT_TRUE(co_await send(*ends.client, "hello"));
  EXPECT_TRUE((co_await receive(*ends.client, much.size())) == much);
  while (!written || got.empty()) co_await world.loop().sleep_for(1ms);
  EXPECT_EQ(got, "hello");
}
TYPED_TEST(FlowLaws, L4_OneReadAndOneWriteWaitAtTheSameTime) {
  run(this->world, law_4(this->world));
}

// ---- Law 5

template <class World>
Task<void> law_5(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  EXPECT_TRUE(co_await send(*ends.client, "question"));
  auto down = co_await ends.client->shutdown(long_time);
  EXPECT_TRUE(down.has_value());
  EXPECT_FALSE(co_await send(*ends.client, "more"));
  std::string got;
  EXPECT_EQ(co_await drain(*ends.server, got), net::Error::ended);
  EXPECT_EQ(got, "question");
  EXPECT_TRUE(co_await send(*ends.server, "answer"));
  EXPECT_EQ(co_await receive(*ends.client, 6), "answer");
}
TYPED_TEST(FlowLaws, L5_AfterShutdownReadingGoesOn) { run(this->world, law_5(this->world)); }

// ---- Law 6

template <class World>
Task<void> law_6(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  ends.server->cancel();  // nothing waits
  auto read_once = [](auto& flow, std::optional<net::Error>& error) -> Task<void> {
    auto bytes = co_await flow.read(10, long_time);
    REQUIRE(!bytes.has_value());
    error = bytes.error();
  };
  std::optional<net::Error> error;
  world.loop().spawn(read_once(*ends.server, error));
  co_await settle(world);
  ends.server->cancel();
  EXPECT_FALSE(error.has_value()) << "not from inside cancel";
  co_await settle(world);
  EXPECT_EQ(error, net::Error::cancelled);
  EXPECT_TRUE(co_await send(*ends.client, "still open"));
  EXPECT_EQ(co_await receive(*ends.server, 10), "still open");
}
TYPED_TEST(FlowLaws, L6_CancelFailsAWaitingReadAndDoesNotClose) {
  run(this->world, law_6(this->world));
}

template <class World>
Task<void> law_6_write(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  const std::string much = pattern(32 << 20);
  auto write_once = [](auto& flow, const std::string& text,
                       std::optional<net::Error>& error) -> Task<void> {
    const net::Piece piece{bytes_of(text)};
    auto answer = co_await flow.write({&piece, 1}, long_time);
    REQUIRE(!answer.has_value());
    error = answer.error();
  };
  std::optional<net::Error> error;
  world.loop().spawn(write_once(*ends.server, much, error));
  co_await settle(world);
  EXPECT_FALSE(error.has_value());
  ends.server->cancel();
  co_await settle(world);
  EXPECT_EQ(error, net::Error::cancelled);
  EXPECT_FALSE(co_await send(*ends.server, "x")) << "who knows where the stream stands";
}
TYPED_TEST(FlowLaws, L6_CancelFailsAWaitingWriteForGood) {
  run(this->world, law_6_write(this->world));
}

// ---- Law 7

template <class World>
Task<void> law_7(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  auto read_once = [](auto& flow, std::optional<net::Error>& error) -> Task<void> {
    auto bytes = co_await flow.read(10, long_time);
    REQUIRE(!bytes.has_value());
    error = bytes.error();
  };
  std::optional<net::Error> error;
  world.loop().spawn(read_once(*ends.server, error));
  co_await settle(world);
  ends.server->close();
  ends.server->close();
  EXPECT_FALSE(error.has_value()) << "not from inside close";
  co_await settle(world);
  EXPECT_EQ(error, net::Error::cancelled);
  auto later = co_await ends.server->read(10, long_time);
  EXPECT_FALSE(later.has_value());
  EXPECT_FALSE(co_await send(*ends.server, "x"));
  auto down = co_await ends.server->shutdown(long_time);
  EXPECT_FALSE(down.has_value());
  ends.server->cancel();
  auto gone = co_await ends.client->read(10, long_time);
  EXPECT_FALSE(gone.has_value());
}
TYPED_TEST(FlowLaws, L7_CloseIsImmediateAndHarmlessTwice) { run(this->world, law_7(this->world)); }

template <class World>
Task<void> law_7_orderly(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  const std::string much = pattern(300'000);
  auto serve = [](auto ended_flow, const std::string& text) -> Task<void> {
    auto flow = std::move(ended_flow);
    EXPECT_TRUE(co_await send(flow, text));
    auto down = co_await flow.shutdown(long_time);
    EXPECT_TRUE(down.has_value());
    std::string nothing;
    EXPECT_EQ(co_await drain(flow, nothing), net::Error::ended);
  };  // and destroyed
  world.loop().spawn(serve(std::move(*ends.server), much));
  std::string got;
  EXPECT_EQ(co_await drain(*ends.client, got), net::Error::ended);
  EXPECT_TRUE(got == much);
}
TYPED_TEST(FlowLaws, L7_CloseAfterShutdownAndTheEndLosesNothing) {
  run(this->world, law_7_orderly(this->world));
}

template <class World>
Task<void> law_7_destructor(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  ends.server.reset();
  auto gone = co_await ends.client->read(10, long_time);
  EXPECT_FALSE(gone.has_value());
}
TYPED_TEST(FlowLaws, L7_TheDestructorCloses) { run(this->world, law_7_destructor(this->world)); }

// ---- Law 8

template <class World>
Task<void> law_8(World& world) {
  Ends<typename World::Stack> ends;
  Ends<typename World::Stack> others;
  co_await connect(world, ends);
  co_await connect(world, others);
  const net::Endpoint peer = ends.server->peer();
  auto moved = std::move(*ends.server);
  EXPECT_TRUE(co_await send(*ends.client, "to the moved one"));
  EXPECT_EQ(co_await receive(moved, 16), "to the moved one");
  EXPECT_EQ(moved.peer(), peer);
  moved = std::move(*others.server);  // closes what it was
  auto gone = co_await ends.client->read(10, long_time);
  EXPECT_FALSE(gone.has_value());
  EXPECT_TRUE(co_await send(moved, "hello"));
  EXPECT_EQ(co_await receive(*others.client, 5), "hello");
}
TYPED_TEST(FlowLaws, L8_AFlowThatNobodyWaitsOnMoves) { run(this->world, law_8(this->world)); }

// ---- Laws 9 and 10

// What a certificate covers is in tests/tls/session_test.cpp.
template <class World>
Task<void> law_9_and_10(World& world) {
  Ends<typename World::Stack> ends;
  co_await connect(world, ends);
  const std::string_view protocol = ends.server->protocol();
  EXPECT_EQ(protocol, "") << "nobody asked for one";
  EXPECT_TRUE(ends.server->serves("localhost")) << "plain, or a certificate of that name";
  auto moved = std::move(*ends.server);
  EXPECT_EQ(moved.protocol(), protocol);
  moved.close();
  EXPECT_EQ(protocol, "");
}
TYPED_TEST(FlowLaws, L9AndL10_ProtocolAndHostsAreKnownAndStay) {
  run(this->world, law_9_and_10(this->world));
}

// ---- The laws of a listener (stack_laws.hpp)

TYPED_TEST(StackLaws, L1_AcceptAnswersConnectionsInOrder) {
  run(this->world, stack_law_1(this->world));
}
TYPED_TEST(StackLaws, L2_CancelFailsAWaitingAccept) { run(this->world, stack_law_2(this->world)); }
TYPED_TEST(StackLaws, L3_CloseFreesThePortAndAcceptedFlowsGoOn) {
  run(this->world, stack_law_3(this->world));
}

}  // namespace
