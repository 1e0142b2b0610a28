// SPDX-License-Identifier: ISC
// tests/probe/config.hpp: an appliance that tries the laws of the devices of the machine that it
// runs on, and says on its console which do not hold.
//
//   crunch build -t virtio -o probe --config tests/probe/config.hpp
//   --try=net      the first network device, with a mirror on its wire (tests/image/probe.py)
//   --try=block    the first block device, whose content is lost
//   --try=rounds   the same one, written, flushed and read back round after round, until the probe
//                  is asked to stop or a round fails: says "round N"
//   --try=random   random bytes, ten times a second, until it is asked to stop
//
// Last it says "probe: all laws hold" or "probe: N laws are broken".

#pragma once

#include CRUNCH_TARGET

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "config/key.hpp"
#include "config/parts/target_parts.hpp"
#include "tests/block/laws.hpp"
#include "tests/probe/net_laws.hpp"

namespace {

using namespace config;

constexpr Key<std::string_view> try_key{.name = "try",
                                        .section = "PROBE",
                                        .doc = "What to try: net, block, rounds or random",
                                        .fallback = "net"};

// A target's own device, as no configuration of a site sees it.
template <class Platform>
class Probe {
 public:
  Probe(Platform& platform, std::string what) : platform_(platform), what_(std::move(what)) {}

  base::Task<void> run() {
    std::vector<std::string> broken;
    if (what_ == "net") {
      broken = co_await try_net();
    } else if (what_ == "block") {
      broken = co_await try_block();
    } else if (what_ == "rounds") {
      broken = co_await try_rounds();
    } else if (what_ == "random") {
      co_await say_random();
    } else {
      broken.push_back("--try=" + what_ + " is nothing that can be tried on this target");
    }
    for (const std::string& one : broken) say(one);
    say(broken.empty() ? "all laws hold" : std::to_string(broken.size()) + " laws are broken");
  }
  void drain() { is_draining_ = true; }

 private:
  void say(const std::string& what) { platform_.console.write("probe: " + what + "\n"); }

  base::Task<std::vector<std::string>> try_net() {
    if constexpr (requires { platform_.net_device; }) {
      probe::NetLaws laws(platform_.loop, platform_.net_device);
      std::vector<std::string> broken = co_await laws.broken();
      say("network device: " + laws.seen());
      co_return broken;
    }
    co_return std::vector<std::string>{"this target has no network device of its own"};
  }

  base::Task<std::vector<std::string>> try_block() {
    if constexpr (requires { platform_.block_devices; }) {
      auto device = platform_.block_devices.find(1, "try");
      if (!device) co_return std::vector<std::string>{device.error()};
      const block::Info info = (*device)->info();
      say("block device: " + std::to_string(info.sector_count) + " sectors of " +
          std::to_string(info.sector_bytes) + " bytes" + (info.is_read_only ? ", to read" : ""));
      std::vector<std::string> broken = co_await block::laws::broken_laws(**device);
      co_return broken;
    }
    co_return std::vector<std::string>{"this target has no block device of its own"};
  }

  base::Task<std::vector<std::string>> try_rounds() {
    if constexpr (requires { platform_.block_devices; }) {
      auto device = platform_.block_devices.find(1, "try");
      if (!device) co_return std::vector<std::string>{device.error()};
      const block::Info info = (*device)->info();
      constexpr std::uint64_t many = 200;  // more than one request
      const std::uint64_t count = std::min(info.sector_count, many);
      for (unsigned round = 1; !is_draining_; ++round) {
        const block::laws::Range range{round % (info.sector_count - count + 1), count};
        const auto bytes = block::laws::pattern(info, range.sector, count, round);
        const block::Result<void> written = co_await (*device)->write(range.sector, bytes);
        const block::Result<void> flushed = co_await (*device)->flush();
        const bool holds = co_await block::laws::holds(**device, range, round);
        if (!written || !flushed || !holds) {
          co_return std::vector<std::string>{"round " + std::to_string(round) + " fails"};
        }
        if (round % 20 == 0) say("round " + std::to_string(round));
      }
      co_return std::vector<std::string>{};
    }
    co_return std::vector<std::string>{"this target has no block device of its own"};
  }

  base::Task<void> say_random() {
    constexpr std::string_view digits = "0123456789abcdef";
    while (!is_draining_) {
      std::array<std::byte, 16> bytes{};
      platform_.entropy.fill(bytes);
      std::string text = "random ";
      for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte) >> 4U];
        text += digits[std::to_integer<unsigned>(byte) & 15U];
      }
      say(text);
      co_await platform_.loop.sleep_for(std::chrono::milliseconds(100));
    }
  }

  Platform& platform_;
  std::string what_;
  bool is_draining_ = false;
};

struct ConnectProbe {
  static constexpr std::tuple keys{&try_key};
  static constexpr std::size_t block_devices = 1;
  template <class Console>
  auto operator()(auto& context, Console&) const {
    return Probe(context.platform, context.boot.text(try_key));
  }
};

template <class>
using ProbeOf = Probe<target::Platform>;
constexpr auto tried = foreign<ProbeOf>("Probe", console_type >> job, ConnectProbe{});

constexpr auto app = jobs(tried(default_console));

}  // namespace
