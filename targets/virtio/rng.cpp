// SPDX-License-Identifier: ISC
#include "targets/virtio/rng.hpp"

#include <array>
#include <cstdint>

#include "targets/libos/clock.hpp"
#include "targets/libos/cpu.hpp"
#include "targets/libos/random.hpp"
#include "targets/virtio/transport.hpp"

namespace virtio_target::rng {

namespace {

constexpr std::uint64_t patience_ns = 1'000'000'000;
constexpr std::size_t wanted_bytes = 64;

void seed_from(Transport& device) {
  device.agree(device.features() & (feature_version_1 | feature_any_layout));
  if (device.queue_size_max(0) == 0) return;
  Queue queue(1, false);
  std::array<std::uint8_t, wanted_bytes> bytes{};
  device.add_queue(0, queue);
  device.begin();
  const Queue::Part part{bytes.data(), wanted_bytes, true};
  static_cast<void>(queue.offer({&part, 1}));
  if (queue.publish()) device.notify(0);
  const std::uint64_t begin = libos::clock::now_ns();
  while (!queue.has_used() && libos::clock::now_ns() - begin < patience_ns) libos::cpu::pause();
  const std::optional<Queue::Used> used = queue.take();
  device.reset();
  if (used && used->bytes <= wanted_bytes) libos::random::seed(bytes.data(), used->bytes);
  bytes.fill(0);
}

}  // namespace

void seed() {
  for (const auto& device : find(DeviceKind::entropy)) seed_from(*device);
}

}  // namespace virtio_target::rng
