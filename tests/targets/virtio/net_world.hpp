// SPDX-License-Identifier: ISC
// tests/targets/virtio/net_world.hpp: a network device of virtio, on a device that the test plays.
//
// Method: Played takes the rings' addresses as a hypervisor would, and reads and writes them
// itself, so that both sides of the protocol are seen. With and without VIRTIO_F_EVENT_IDX.

#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "targets/virtio/net.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/targets/virtio/played_ring.hpp"

namespace virtio_target {

inline constexpr std::uint64_t sums = 3;  // both ways
inline constexpr std::uint64_t has_mac = 1U << 5U;
inline constexpr std::uint64_t cuts_ipv4 = 1U << 11U;
inline constexpr std::uint64_t cuts_ipv6 = 1U << 12U;
inline constexpr std::size_t header_bytes = 12;

struct Played {
  std::uint64_t offered = 0;
  std::uint16_t size = 16;
  Ring rings[2];
  int notified[2] = {0, 0};
  bool is_reset = false;
  std::uint64_t mtu_bytes = 1500;
  std::uint32_t generation = 0;
  int changes_left = 0;  // of the configuration, each while it is read

  [[nodiscard]] bool has_events() const { return (offered & feature_events) != 0; }
  // Asks to be notified of the next chain.
  void ask(unsigned i) { rings[i].used_ring()[2 + 4 * size] = rings[i].seen; }
};

class PlayedTransport final : public Transport {
 public:
  explicit PlayedTransport(Played& played) : played_(played) {}
  std::uint64_t features() override { return played_.offered; }
  void agree(std::uint64_t features) override { EXPECT_EQ(features & ~played_.offered, 0U); }
  std::uint16_t queue_size_max(unsigned) override { return played_.size; }
  void add_queue(unsigned index, const Queue& queue) override {
    played_.rings[index].queue = &queue;
  }
  void begin() override {}
  std::uint8_t config(unsigned offset) override {
    if (offset < 10) return static_cast<std::uint8_t>(0x50 + offset);
    const auto byte = static_cast<std::uint8_t>(played_.mtu_bytes >> 8 * (offset - 10));
    if (played_.changes_left > 0) {
      --played_.changes_left;
      ++played_.generation;
      played_.mtu_bytes ^= 0x1d1dU;
    }
    return byte;
  }
  std::uint32_t config_generation() override { return played_.generation; }
  void notify(unsigned queue) noexcept override { ++played_.notified[queue]; }
  bool took_interrupt() noexcept override { return true; }
  void reset() noexcept override { played_.is_reset = true; }

 private:
  Played& played_;
};

struct Counter final : base::Work {
  int count = 0;
  void run() override { ++count; }
};

class VirtioNet : public testing::TestWithParam<bool> {
 protected:
  VirtioNet() { restart(sums); }
  // A device that offers these features of virtio-net.
  void restart(std::uint64_t features) {
    net.reset();
    played = {};
    played.offered = features | has_mac | feature_version_1;
    if (GetParam()) played.offered |= feature_events;
    net = std::make_unique<Net>(std::make_unique<PlayedTransport>(played));
    net->serve(loop);
    net->listen(&frames, &space);
  }
  bool send(std::string_view text, std::optional<net::ChecksumRequest> sum = {}) {
    const base::Bytes piece = base::bytes_of(text);
    return net->send({{&piece, 1}, sum}, released());
  }
  net::Release released() {
    return {[](void* count) noexcept { ++*static_cast<int*>(count); }, &releases};
  }
  void put(std::string_view text, std::uint8_t flags = 0) {
    Ring& in = played.rings[0];
    const std::uint16_t head = in.take();
    const Descriptor& buffer = in.descriptor(head);
    EXPECT_EQ(buffer.flags, 2);
    std::string frame(header_bytes, '\0');
    frame[0] = static_cast<char>(flags);
    frame += text;
    ASSERT_LE(frame.size(), buffer.bytes);
    std::memcpy(reinterpret_cast<void*>(buffer.address), frame.data(), frame.size());
    in.use(head, static_cast<std::uint32_t>(frame.size()));
  }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  Played played;
  Counter frames;
  Counter space;
  int releases = 0;
  std::unique_ptr<Net> net;
};

}  // namespace virtio_target
