// SPDX-License-Identifier: ISC
// tests/net/lwip_world.hpp: lwIP on a device in memory, facing itself in a Mirror, in simulated
// time. A World of tests/net/worlds.hpp.

#pragma once

#include <cstdint>
#include <string>

#include "base/entropy.hpp"
#include "net/lwip/lwip.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/net/chance.hpp"
#include "tests/net/memory_device.hpp"
#include "tests/net/mirror.hpp"

namespace net {

class SeededEntropy final : public base::Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : chance_(seed) {}
  void fill(base::MutableBytes out) noexcept override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(chance_.next() & 0xffU);
  }

 private:
  Chance chance_;
};

class Lines final : public base::Console {
 public:
  void write(std::string_view more) noexcept override { text += more; }
  std::string text;
};

inline constexpr Mirror::Ends mirror_ends{
    .real = {2, 0, 0, 0, 0, 1},
    .other = {2, 0, 0, 0, 0, 2},
    .real4 = {10, 0, 0, 1},
    .other4 = {10, 0, 0, 2},
    .real6 = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    .other6 = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
};

inline lwip::Options mirror_options() {
  lwip::Options options;
  options.ipv4 = lwip::Ipv4{mirror_ends.real4, 24, {}};
  options.ipv6_mode = lwip::Ipv6Mode::fixed;
  options.ipv6.address = mirror_ends.real6;
  return options;
}

class LwipWorld {
 public:
  using Stack = Lwip;
  explicit LwipWorld(std::uint64_t seed = 1, std::size_t mtu_bytes = 1500,
                     const lwip::Options& options = mirror_options(), Offload offload = {},
                     std::function<void(const std::string&)> watcher = {})
      : on_frame(std::move(watcher)), entropy_(seed), device_(loop_, mirror_ends.real, mtu_bytes) {
    device_.offered = offload;
    device_.vouches = offload.receive;
    device_.carry = [this](std::string frame) { meet_itself(std::move(frame)); };
    stack_.emplace(loop_, entropy_, log_, device_, options);
  }
  base::Loop& loop() { return loop_; }
  Stack& stack() { return *stack_; }
  static Endpoint at(std::uint16_t port) { return ipv4(10, 0, 0, 2, port); }
  static Endpoint at_ipv6(std::uint16_t port) { return {mirror_ends.other6, port}; }

  base::SimulatedTime& time() { return time_; }
  MemoryDevice& device() { return device_; }
  [[nodiscard]] const std::string& log_text() const { return lines_.text; }
  // Every frame as it was sent, before it is reflected.
  std::function<void(const std::string&)> on_frame;

 private:
  void meet_itself(std::string frame) {
    if (on_frame) on_frame(frame);
    const std::string back = mirror_.reflect(std::move(frame));
    if (!back.empty()) device_.arrive(back);
  }

  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  Lines lines_;
  base::Log log_{lines_};
  SeededEntropy entropy_;
  MemoryDevice device_;
  Mirror mirror_{mirror_ends};
  std::optional<Lwip> stack_;
};

// The same over IPv6.
class LwipIpv6World : public LwipWorld {
 public:
  // Returns when the address is known to be nobody else's.
  LwipIpv6World() {
    while (loop().now() < base::Instant(std::chrono::seconds(4))) {
      loop().turn(base::Instant(std::chrono::seconds(4)));
    }
  }
  static Endpoint at(std::uint16_t port) { return at_ipv6(port); }
};

// A device that sums, with the largest frames.
class LwipOffloadWorld : public LwipWorld {
 public:
  LwipOffloadWorld() : LwipWorld(1, 9000, mirror_options(), {.send = true, .receive = true}) {}
};

// A device that sums and cuts.
inline constexpr Offload cutting{.send = true, .receive = true, .segmentation_bytes = 65'535};
class LwipCuttingWorld : public LwipWorld {
 public:
  LwipCuttingWorld() : LwipWorld(1, 1500, mirror_options(), cutting) {}
};

}  // namespace net
