// SPDX-License-Identifier: ISC
// targets/virtio/blk.hpp: virtio's block device.
//
// Models:  block::BlockDevice.   Owns: its ring, and memory for places_max requests.
// States:  a call is cut into requests of at most request_bytes_max, one after another; each goes
//          through memory of the driver's, so the device never has a caller's, and a call that is
//          abandoned may end while its request is under way.
// Durable: flush asks the device where it says that it has a cache (VIRTIO_BLK_F_FLUSH); without
//          one a write that succeeded is durable.
// Trust:   what the device says of its size is checked; a request that it did not get, or got an
//          answer to already, stops the machine (queue.hpp); data are copied before anybody looks.
// Waits:   patience for each request, then `unavailable`: its place stays the device's.
// Source:  VIRTIO 1.2, section 5.2.

#pragma once

#include <memory>
#include <vector>

#include "block/block.hpp"
#include "targets/libos/requests.hpp"
#include "targets/virtio/queue.hpp"
#include "targets/virtio/transport.hpp"

namespace virtio_target {

class Blk {
 public:
  static constexpr std::size_t places_max = 4;
  static constexpr std::uint32_t request_bytes_max = 65'536;
  static constexpr base::Duration patience = std::chrono::seconds(30);

  // Throws std::runtime_error, a sentence, if the device will not do. `loop` runs those who wait.
  Blk(std::unique_ptr<Transport> transport, base::Loop& loop);
  ~Blk();
  Blk(const Blk&) = delete;
  Blk& operator=(const Blk&) = delete;

  // BlockDevice.
  [[nodiscard]] block::Info info() const noexcept { return info_; }
  [[nodiscard]] base::Task<block::Result<void>> read(std::uint64_t sector, base::MutableBytes to);
  [[nodiscard]] base::Task<block::Result<void>> write(std::uint64_t sector, base::Bytes from);
  [[nodiscard]] base::Task<block::Result<void>> flush();

  // For who sleeps. Takes what the device is done with; true: work was scheduled.
  bool poll();
  // False: something came meanwhile, do not sleep.
  [[nodiscard]] bool prepare_to_sleep() noexcept;

 private:
  enum class Kind : std::uint32_t { read = 0, write = 1, flush = 4 };
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
  // Asks for `bytes` of the held place's data and waits. `sector` is one of the protocol's.
  [[nodiscard]] base::Task<block::Result<void>> ask(const libos::Requests::Held& held, Kind kind,
                                                    std::uint64_t sector, std::uint32_t bytes);
  void submit(const libos::Requests::Held& held, Kind kind, std::uint64_t sector,
              std::uint32_t bytes);

  std::unique_ptr<Transport> transport_;
  base::Loop& loop_;
  block::Info info_;
  bool has_cache_ = false;
  std::uint32_t request_bytes_ = request_bytes_max;
  std::unique_ptr<Queue> queue_;
  std::vector<Place> places_;
  std::vector<libos::Requests::Number> place_by_head_;
  libos::Requests requests_;
};

static_assert(block::BlockDevice<Blk>);

}  // namespace virtio_target
