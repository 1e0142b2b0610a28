// SPDX-License-Identifier: ISC
// tests/net/several_world.hpp: several lwIP stacks in one program, on wires in memory, in simulated
// time.

#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "tests/net/lwip_world.hpp"

namespace net {

// 10.0.0.N and fd00::N.
inline lwip::Options host_options(std::uint8_t number) {
  lwip::Options options = mirror_options();
  options.ipv4->address[3] = number;
  options.ipv6.address[15] = number;
  return options;
}

// Two hosts and the wire between them.
class Network {
 public:
  explicit Network(base::Loop& loop) : wire(loop), loop_(loop) {}
  // Ends: 0 has the device a, 1 has b.
  Lwip& begin(unsigned end, const lwip::Options& options) {
    MemoryDevice& device = end == 0 ? wire.a : wire.b;
    return ends_[end].emplace(loop_, entropy_, log_, device, options);
  }
  void end(unsigned end) { ends_[end].reset(); }

  MemoryPair wire;

 private:
  base::Loop& loop_;
  Lines lines_;
  base::Log log_{lines_};
  SeededEntropy entropy_{1};
  std::optional<Lwip> ends_[2];
};

// A World of tests/net/worlds.hpp: who connects has one stack, who listens another, and the frames
// of each are the other's; so lwIP's globals change places at every turn.
class LwipPairWorld {
 public:
  class Stack {
   public:
    using Flow = Lwip::Flow;
    using Listener = Lwip::Listener;
    explicit Stack(base::Loop& loop) : network_(loop) {}
    ListenResult<Listener> listen(std::uint16_t port) { return server_.listen(port); }
    base::Task<Result<Flow>> connect(const Endpoint& to, base::Duration within) {
      return client_.connect(to, within);
    }

   private:
    Network network_;
    Lwip& client_ = network_.begin(0, host_options(1));
    Lwip& server_ = network_.begin(1, host_options(2));
  };
  static_assert(net::Stack<Stack>);

  base::Loop& loop() { return loop_; }
  Stack& stack() { return stack_; }
  static Endpoint at(std::uint16_t port) { return ipv4(10, 0, 0, 2, port); }

 private:
  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  Stack stack_{loop_};
};

}  // namespace net

// For the laws: over IPv4, IPv6, devices that sum, take large frames, cut; and between two stacks.
#define NET_LWIP_WORLDS                                                             \
  net::LwipWorld, net::LwipIpv6World, net::LwipOffloadWorld, net::LwipCuttingWorld, \
      net::LwipPairWorld
