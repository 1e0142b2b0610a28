// SPDX-License-Identifier: ISC
// tests/net/stack_laws.hpp: the laws of a listener, as coroutines on any World (worlds.hpp).

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/net/worlds.hpp"

template <class World>
Task<void> stack_law_1(World& world) {
  using Stack = typename World::Stack;
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  auto talk = [](World& where, std::uint16_t port, char letter) -> Task<void> {
    const net::Endpoint at = where.at(port);
    auto flow = co_await where.stack().connect(at, long_time);
    REQUIRE(flow.has_value());
    EXPECT_TRUE(co_await send(*flow, std::string(1, letter)));
    std::string nothing;
    co_await drain(*flow, nothing);
  };
  for (char letter : {'a', 'b', 'c'}) {
    world.loop().spawn(talk(world, listener->port(), letter));
    std::optional<typename Stack::Flow> flow;
    co_await accept_into<Stack>(*listener, flow);
    EXPECT_EQ(co_await receive(*flow, 1), std::string(1, letter));
  }
}

template <class World>
Task<void> stack_law_2(World& world) {
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  auto wait = [](auto& from, std::optional<net::Error>& error) -> Task<void> {
    auto flow = co_await from.accept();
    REQUIRE(!flow.has_value());
    error = flow.error();
  };
  listener->cancel();  // nothing waits
  for (bool closing : {false, true}) {
    std::optional<net::Error> error;
    world.loop().spawn(wait(*listener, error));
    co_await settle(world);
    EXPECT_FALSE(error.has_value());
    if (closing) {
      listener->close();
    } else {
      listener->cancel();
    }
    EXPECT_FALSE(error.has_value()) << "not from inside the call";
    co_await settle(world);
    EXPECT_EQ(error, net::Error::cancelled);
  }
  auto after = co_await listener->accept();
  EXPECT_FALSE(after.has_value());
}

template <class World>
Task<void> stack_law_3(World& world) {
  using Stack = typename World::Stack;
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  const std::uint16_t port = listener->port();
  EXPECT_NE(port, 0);  // law 4
  std::optional<typename Stack::Flow> accepted;
  world.loop().spawn(accept_into<Stack>(*listener, accepted));
  const net::Endpoint at = world.at(port);
  auto flow = co_await world.stack().connect(at, long_time);
  REQUIRE(flow.has_value());
  while (!accepted) co_await world.loop().sleep_for(1ms);
  auto twice = world.stack().listen(port);
  REQUIRE(!twice.has_value());
  EXPECT_NE(twice.error().find(std::to_string(port)), std::string::npos);
  listener->close();
  auto refused = co_await world.stack().connect(at, 50ms);
  EXPECT_FALSE(refused.has_value());
  EXPECT_TRUE(co_await send(*accepted, "goes on"));
  EXPECT_EQ(co_await receive(*flow, 7), "goes on");
  auto again = world.stack().listen(port);
  EXPECT_TRUE(again.has_value()) << again.error();
}
