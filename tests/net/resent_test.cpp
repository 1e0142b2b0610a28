// SPDX-License-Identifier: ISC
// tests/net/resent_test.cpp: a segment that is to be sent again waits for a device without room,
// and meanwhile bytes, or the end, are queued: they come after all that was queued before.
//
// Method: a wire on which the first segment is lost, and a device that takes nothing from then on
// until more has been written, in simulated time.

#include "tests/net/lwip_world.hpp"

#include <algorithm>

#include "tests/net/worlds.hpp"

namespace {

using net::LwipWorld;

enum class Then { writes, shuts_down, closes };

Task<void> put(net::Lwip::Flow& flow, std::string_view text) {
  const net::Piece piece{bytes_of(text), false};
  auto written = co_await flow.write({&piece, 1}, long_time);
  EXPECT_TRUE(written.has_value());
}

// A frame that arrives after 50 ms, in order.
Task<void> arrive_later(LwipWorld& world, std::function<void(std::string)> carry, std::string frame,
                        base::Instant at) {
  co_await world.loop().sleep_until(at);
  carry(std::move(frame));
}

Task<void> play(LwipWorld& world, bool refuses, Then then) {
  Ends<net::Lwip> ends;
  co_await connect(world, ends);
  const auto carry = world.device().carry;
  base::Instant last{};
  int lost = 0;
  world.device().carry = [&](std::string frame) {
    if (frame.size() == 54 + 300 && lost++ == 0) return;
    last = std::max(last + 1us, world.loop().now() + 50ms);
    world.loop().spawn(arrive_later(world, carry, std::move(frame), last));
  };
  const std::string a(300, 'a');
  const std::string b(1460, 'b');
  const std::string c(301, 'c');
  std::string all = a + b + b;
  co_await put(*ends.server, a);
  for (int i = 0; i < 2; ++i) co_await put(*ends.server, b);
  co_await world.loop().sleep_for(75ms);
  world.device().refusing = refuses;
  co_await world.loop().sleep_for(35ms);
  if (then == Then::writes) {
    co_await put(*ends.server, c);
    all += c;
  } else if (then == Then::shuts_down) {
    auto shut = co_await ends.server->shutdown(long_time);
    EXPECT_TRUE(shut.has_value());
  } else {
    ends.server->close();
  }
  co_await world.loop().sleep_for(10ms);
  world.device().accept_again();
  const std::string got = co_await receive(*ends.client, all.size());
  EXPECT_TRUE(got == all) << got.size() << " bytes of " << all.size();
  if (then != Then::writes) {
    auto more = co_await ends.client->read(1, long_time);
    EXPECT_TRUE(!more.has_value() && more.error() == net::Error::ended);
  }
  world.device().carry = carry;
  co_await world.loop().sleep_for(1s);
}

TEST(Resent, NothingIsLostWhateverFollows) {
  for (const bool refuses : {false, true}) {
    for (const Then then : {Then::writes, Then::shuts_down, Then::closes}) {
      LwipWorld world;
      run(world, play(world, refuses, then));
    }
  }
}

}  // namespace
