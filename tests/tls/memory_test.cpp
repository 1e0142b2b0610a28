// SPDX-License-Identifier: ISC
// tests/tls/memory_test.cpp: tls::Over when memory runs out.
//
// Method: the Nth allocation of a handshake and an exchange fails, for every N, or all fail from
//         the Nth on for a while; tests/tls/refusals.hpp makes it fail. Then memory is
//         there again, and a client must be served, with no place taken and no connection left.
//         OpenSSL's client is outside: it allocates when nothing fails. CRUNCH_TLS_ALLOCATIONS=1
//         tries every N (the unit suite: every 23rd).

#include <cstdlib>

#include "tests/net/worlds.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/client.hpp"
#include "tests/tls/refusals.hpp"
#include "tls/over.hpp"

namespace {

using Over = tls::Over<net::MemoryStack>;
using test_client::Client;
using Wire = std::shared_ptr<net::MemoryWire>;

// The client's end, between which and the server's the loop runs.
struct Conversation {
  Wire wire;
  std::unique_ptr<Client> client;
  std::string sent;
  bool asked = false;
};

Task<void> answer(Over::Flow accepted) {
  Over::Flow flow = std::move(accepted);
  net::Result<base::Bytes> in = co_await flow.read(100, 1s);
  if (!in) co_return;
  const std::array pieces{net::Piece{*in}};
  net::Result<void> sent = co_await flow.write(std::span<const net::Piece>(pieces), 1s);
  if (!sent) co_return;
  net::Result<void> shut = co_await flow.shutdown(1s);
  static_cast<void>(shut);
}

class World {
 public:
  World() : over_(world_.stack(), world_.loop(), context()), listener_(*over_.listen(0)) {
    world_.loop().on_exception = [](std::string_view) noexcept {};
    world_.loop().spawn(serve(*this));
    turn();
  }
  ~World() {
    listener_.close();
    turn();
  }

  // One client from its hello to the answer; whether it got that.
  bool converse(int version) {
    const Wire wire = world_.stack().dial(listener_.port());
    Client client({.version_min = version, .version_max = version});
    wire->pipes[0].bytes.reserve(8192);  // the wire is not the server's
    wire->pipes[1].bytes.reserve(65536);
    bool asked = false;
    for (int round = 0; round < 8; ++round) {
      wire->push(client.step(wire->take()));
      if (client.is_open() && !std::exchange(asked, true)) {
        client.write("hello");
        wire->push(client.step({}));
      }
      turn();
    }
    client.step(wire->take());
    wire->end();
    turn();
    return client.received == "hello";
  }
  [[nodiscard]] const Over& over() const { return over_; }

 private:
  static std::shared_ptr<const tls::Context> context() {
    static const auto made = [] {
      std::vector<tls::Identity> identities;
      identities.push_back(authority::identity("P-256"));
      return std::make_shared<const tls::Context>(std::move(identities), authority::entropy());
    }();
    return made;
  }
  // The application. It has memory of its own: what it accepts is served or dropped.
  static Task<void> serve(World& world) {
    for (;;) {
      net::Result<Over::Flow> flow = co_await world.listener_.accept();
      if (!flow) co_return;
      const bool refusing = std::exchange(refusals.active, false);
      world.world_.loop().spawn(answer(std::move(*flow)));
      refusals.active = refusing;
    }
  }
  void turn() {
    refusals.active = true;
    for (int i = 0; i < 20; ++i) world_.loop().turn(world_.loop().now() + 1ms);
    refusals.active = false;
  }

  MemoryWorld world_;
  Over over_;
  Over::Listener listener_;
};

void lives_after(int version, std::uint64_t fail_from, std::uint64_t fail_count) {
  SCOPED_TRACE("allocation " + std::to_string(fail_from) + " of version " +
               std::to_string(version));
  World world;
  refusals.count = 0;
  refusals.fail_from = fail_from;
  refusals.fail_count = fail_count;
  world.converse(version);
  refusals.fail_count = 0;
  EXPECT_EQ(world.over().opening_count(), 0U);
  EXPECT_EQ(world.over().handshake_count(), 0U);
  EXPECT_EQ(world.over().connection_count(), 0U);
  EXPECT_TRUE(world.converse(version)) << "afterwards";
}

TEST(Memory, AFailedAllocationEndsOneConnectionAtMost) {
  const std::uint64_t step = std::getenv("CRUNCH_TLS_ALLOCATIONS") == nullptr ? 23 : 1;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    std::uint64_t count = 0;
    {
      World world;
      refusals.count = 0;
      ASSERT_TRUE(world.converse(version));
      count = refusals.count;
    }
    EXPECT_GT(count, 50U);
    std::printf("%llu allocations\n", static_cast<unsigned long long>(count));
    // The first ones are the server's of C++, where most of the kinds of failure are.
    for (std::uint64_t at = 0; at < count; at += at < 30 ? 1 : step) {
      lives_after(version, at, 1);
      lives_after(version, at, 50);
    }
  }
}

}  // namespace
