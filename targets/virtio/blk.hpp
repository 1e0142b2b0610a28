// SPDX-License-Identifier: ISC
// targets/virtio/blk.hpp: virtio's block device.
//
// Models:  block::BlockDevice, as a libos::Disk.   Owns: its ring, and memory for places_max
//          requests.
// Durable: flush asks the device where it says that it has a cache (VIRTIO_BLK_F_FLUSH); without
//          one a write that succeeded is durable.
// Trust:   what the device says of its size is checked; a request that it did not get, or got an
//          answer to already, stops the machine (queue.hpp); data are copied before anybody looks.
// Waits:   a request that is not answered in time keeps its place until it is.
// Source:  VIRTIO 1.2, section 5.2.

#pragma once

#include <memory>
#include <vector>

#include "block/block.hpp"
#include "targets/libos/disk.hpp"
#include "targets/virtio/queue.hpp"
#include "targets/virtio/transport.hpp"

namespace virtio_target {

class Blk final : public libos::Disk {
 public:
  static constexpr std::size_t places_max = 4;
  static constexpr std::uint32_t request_bytes_max = 65'536;

  // Throws std::runtime_error, a sentence, if the device will not do. `loop` runs those who wait.
  Blk(std::unique_ptr<Transport> transport, base::Loop& loop);
  ~Blk();

  // For who sleeps. Takes what the device is done with; true: work was scheduled.
  bool poll();
  // False: something came meanwhile, do not sleep.
  [[nodiscard]] bool prepare_to_sleep() noexcept;

 private:
  // struct virtio_blk_req without its data. The device reads the head and writes the status.
  struct Head {
    std::uint32_t kind, reserved;
    std::uint64_t sector;
  };
  static_assert(sizeof(Head) == 16);
  struct Place {
    Head head{};
    std::uint8_t status = 0;
    std::unique_ptr<std::byte[]> data;
  };

  void read_config(std::uint64_t agreed);
  [[nodiscard]] base::MutableBytes data_of(libos::Requests::Number number) noexcept override;
  [[nodiscard]] base::Task<block::Result<void>> ask(const libos::Requests::Held& held,
                                                    Request request) override;
  void submit(const libos::Requests::Held& held, const Request& request);

  std::unique_ptr<Transport> transport_;
  std::uint32_t request_bytes_ = request_bytes_max;
  std::unique_ptr<Queue> queue_;
  std::vector<Place> places_;
  std::vector<libos::Requests::Number> place_by_head_;
};

static_assert(block::BlockDevice<Blk>);

}  // namespace virtio_target
