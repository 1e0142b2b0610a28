// SPDX-License-Identifier: ISC
// tests/net/segmentation_test.cpp: segments that go to the device as one large frame.
//
// Method: the stack faces itself in a Mirror, in simulated time, on a device that cuts large frames
// by the rules (tests/net/offload.hpp, which refuses one that breaks them). What goes over the wire
// must be, byte for byte, what goes over it from a device that does not cut.

#include "tests/net/lwip_world.hpp"

#include <algorithm>

#include "tests/net/worlds.hpp"

namespace {

using net::LwipWorld;
using net::Offload;

constexpr Offload summing{.send = true, .receive = true};

Offload offering(std::size_t bytes) {
  Offload offload = summing;
  offload.segmentation_bytes = bytes;
  return offload;
}

struct Exchange {
  std::size_t mtu_bytes = 1500;
  bool is_ipv6 = false;
  bool lasting = true;
  std::vector<std::size_t> writes;  // sizes
  std::size_t lost_from = 0;        // of the large frames on the wire, these are lost
  std::size_t lost_to = 0;
};

struct Seen {
  std::vector<std::string> wire;  // what the server sent
  std::size_t frames = 0;         // that the device was given
  std::size_t pieces_most = 0;
  std::size_t largest = 0;
  bool is_whole = false;
};

template <class World>
Task<void> transfer(World& world, const Exchange& exchange, const std::string& text, Seen& seen) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  std::size_t at = 0;
  world.loop().spawn([](net::Lwip::Flow& flow, const Exchange& what, const std::string& all,
                        std::size_t& from) -> Task<void> {
    for (std::size_t size : what.writes) {
      const net::Piece piece{bytes_of(all).subspan(from, size), what.lasting};
      from += size;
      auto written = co_await flow.write({&piece, 1}, long_time);
      EXPECT_TRUE(written.has_value());
    }
    auto shut = co_await flow.shutdown(long_time);
    EXPECT_TRUE(shut.has_value());
  }(*ends.server, exchange, text, at));
  seen.is_whole = (co_await receive(*ends.client, text.size())) == text;
  auto more = co_await ends.client->read(1, long_time);
  EXPECT_TRUE(!more.has_value() && more.error() == net::Error::ended);
  auto shut = co_await ends.client->shutdown(long_time);
  EXPECT_TRUE(shut.has_value());
}

bool has_payload(const std::string& frame) { return frame.size() > 200; }

// What the server sent, without what depends on when the other end's frames go: IPv4's count of all
// packets, and its checksum.
std::vector<std::string> segments_of(const std::vector<std::string>& wire) {
  std::vector<std::string> segments;
  for (const std::string& frame : wire) {
    if (!has_payload(frame)) continue;
    std::string& one = segments.emplace_back(frame);
    if (net::offload::get_word(one, 12) != 0x0800) continue;
    net::frames::put_word(one, 18, 0);
    net::frames::put_word(one, 24, 0);
  }
  return segments;
}

template <class World>
Seen run_exchange(const Exchange& exchange, Offload offload) {
  std::size_t total = 0;
  for (std::size_t size : exchange.writes) total += size;
  const std::string text = pattern(total);
  Seen seen;
  std::size_t number = 0;
  World world(1U, exchange.mtu_bytes, net::mirror_options(), offload);
  auto carry = world.device().carry;
  world.device().carry = [&](std::string frame) {
    if (has_payload(frame)) {
      const std::size_t mine = number++;
      if (mine >= exchange.lost_from && mine < exchange.lost_to) return;
    }
    seen.wire.push_back(frame);
    carry(std::move(frame));
  };
  world.device().on_pieces = [&](std::span<const base::Bytes> pieces) {
    std::size_t bytes = 0;
    for (base::Bytes piece : pieces) bytes += piece.size();
    ++seen.frames;
    seen.pieces_most = std::max(seen.pieces_most, pieces.size());
    seen.largest = std::max(seen.largest, bytes);
  };
  run(world, transfer(world, exchange, text, seen));
  return seen;
}

class World6 : public LwipWorld {
 public:
  template <class... Arguments>
  explicit World6(Arguments&&... arguments) : LwipWorld(std::forward<Arguments>(arguments)...) {
    while (loop().now() < base::Instant(4s)) loop().turn(base::Instant(4s));
  }
  static net::Endpoint at(std::uint16_t port) { return at_ipv6(port); }
};

Seen run_exchange(const Exchange& exchange, Offload offload) {
  return exchange.is_ipv6 ? run_exchange<World6>(exchange, offload)
                          : run_exchange<LwipWorld>(exchange, offload);
}

// What goes out before anything is acknowledged.
TEST(Segmentation, TheWireIsTheSame) {
  const std::vector<Exchange> table = {
      {.writes = {1}},
      {.writes = {1459}},
      {.writes = {1460}},
      {.writes = {1461}},
      {.writes = {2920}},
      {.writes = {12'345}},
      {.writes = {14'600}},
      {.lasting = false, .writes = {14'600}},
      {.is_ipv6 = true, .writes = {14'000}},
      {.mtu_bytes = 576, .writes = {5'000}},
      {.mtu_bytes = 9000, .writes = {65'000}},
  };
  static_cast<void>(run_exchange(table[0], summing));  // chooses its first port by another chance
  for (std::size_t row = 0; row < table.size(); ++row) {
    const Seen plain = run_exchange(table[row], summing);
    EXPECT_TRUE(plain.is_whole);
    for (std::size_t offer : {1UL, 1460UL, 3000UL, 10'000UL, 65'535UL, 1'000'000UL}) {
      SCOPED_TRACE(::testing::Message() << "row " << row << ", offer " << offer);
      const Seen cut = run_exchange(table[row], offering(offer));
      EXPECT_TRUE(cut.is_whole);
      EXPECT_TRUE(segments_of(cut.wire) == segments_of(plain.wire));
      EXPECT_LE(cut.frames, plain.frames);
    }
  }
}

// Later where a write ends in a segment depends on when what was before it was acknowledged.
TEST(Segmentation, EveryByteArrives) {
  const std::vector<Exchange> table = {
      {.writes = {200, 100'000}},
      {.writes = {100'000, 1, 100'000}},
      {.writes = {1'000'000}},
      {.lasting = false, .writes = {1'000'000}},
      {.lasting = false, .writes = {16'406, 16'406, 16'406, 16'406}},  // TLS's records
      {.is_ipv6 = true, .writes = {300'000}},
      {.mtu_bytes = 576, .writes = {300'000}},
      {.mtu_bytes = 9000, .writes = {300'000}},
  };
  for (std::size_t row = 0; row < table.size(); ++row) {
    for (std::size_t offer : {1UL, 3000UL, 65'535UL, 1'000'000UL}) {
      SCOPED_TRACE(::testing::Message() << "row " << row << ", offer " << offer);
      EXPECT_TRUE(run_exchange(table[row], offering(offer)).is_whole);
    }
  }
}

TEST(Segmentation, ManySegmentsAreOneFrameOfTwoPieces) {
  const Exchange exchange{.writes = {1'000'000}};
  const Seen plain = run_exchange(exchange, summing);
  const Seen cut = run_exchange(exchange, offering(65'535));
  EXPECT_GT(cut.largest, 20'000U);
  EXPECT_LT(cut.frames, plain.frames / 2) << "acknowledgements are counted too";
  EXPECT_EQ(cut.pieces_most, 2U) << "the headers, and bytes that lie together";
  const std::size_t largest = run_exchange(exchange, offering(10'000)).largest;
  EXPECT_GE(largest, 54U + 6 * 1460);
  EXPECT_LE(largest, 54U + 10'000);
}

// What is lost is sent again, with the flags and lengths that it had.
TEST(Segmentation, LostSegmentsAreSentAgain) {
  for (std::size_t from : {0UL, 1UL, 9UL, 20UL, 60UL}) {
    for (std::size_t count : {1UL, 2UL, 5UL}) {
      for (bool lasting : {true, false}) {
        SCOPED_TRACE(::testing::Message() << from << " " << count << " " << lasting);
        const Exchange exchange{
            .lasting = lasting, .writes = {100'000}, .lost_from = from, .lost_to = from + count};
        EXPECT_TRUE(run_exchange(exchange, offering(65'535)).is_whole);
      }
    }
  }
}

// Devices that keep frames: lwIP does not send a segment again that is with the device.
TEST(Segmentation, FramesHeldForLongAreNotLost) {
  LwipWorld world(1, 1500, net::mirror_options(), net::cutting);
  world.device().hold_releases = true;
  const Exchange exchange{.writes = {300'000}};
  const std::string text = pattern(300'000);
  Seen seen;
  run(world, transfer(world, exchange, text, seen));
  EXPECT_TRUE(seen.is_whole);
  EXPECT_GT(world.device().held_count(), 10U);
  world.device().release_held();
}

Task<void> write_all(net::Lwip::Flow& flow, const std::string& text) {
  EXPECT_TRUE(co_await send(flow, text));
}

Task<void> refuse_now_and_then(LwipWorld& world, const std::string& text, std::size_t& refusals) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  std::string got;
  world.loop().spawn(write_all(*ends.server, text));
  while (got.size() < text.size()) {
    world.device().refusing = true;
    ++refusals;
    co_await world.loop().sleep_for(1ms);
    world.device().accept_again();
    auto bytes = co_await ends.client->read(4000, long_time);
    REQUIRE(bytes.has_value());
    got += base::text_of(*bytes);
  }
  EXPECT_TRUE(got == text);
}
TEST(Segmentation, ADeviceWithoutRoomIsAskedAgain) {
  LwipWorld world(1, 1500, net::mirror_options(), net::cutting);
  std::size_t refusals = 0;
  const std::string text = pattern(300'000);
  run(world, refuse_now_and_then(world, text, refusals));
  EXPECT_GT(refusals, 50U);
  EXPECT_LT(world.loop().now(), base::Instant(5s)) << "at once, not by retransmissions";
}

// A stack that ends while the device has no room keeps nothing and sends nothing later.
Task<void> write_without_room(LwipWorld& world, Ends<net::Lwip>& ends, const std::string& text) {
  co_await connect(world, ends);
  world.device().refusing = true;
  const net::Piece piece{bytes_of(text), true};
  auto written = co_await ends.server->write({&piece, 1}, 10ms);
  EXPECT_FALSE(written.has_value());
}
TEST(Segmentation, AHeldBurstEndsWithTheStack) {
  const std::string text = pattern(100'000);
  LwipWorld world(1, 1500, net::mirror_options(), net::cutting);
  Ends<net::Lwip> ends;
  run(world, write_without_room(world, ends, text));
  ends.server.reset();
  ends.client.reset();
}

}  // namespace
