// SPDX-License-Identifier: ISC
// targets/virtio/net.hpp: virtio's network device.
//
// Models:  net::NetDevice.   Owns: its rings, and the memory that frames come into.
// Sending: pieces go to the device where they are, behind a header of ours; the device is notified
//          once a turn of the loop, and sums what it was asked to.
// Bounds:  what fits the rings; frames in: received_max of mtu_bytes() each.
// Source:  VIRTIO 1.2, section 5.1.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "net/device.hpp"
#include "targets/virtio/queue.hpp"
#include "targets/virtio/transport.hpp"

namespace virtio_target {

class Net {
 public:
  static constexpr std::uint16_t queue_size_most = 256;

  // Throws std::runtime_error if the device will not do.
  explicit Net(std::unique_ptr<Transport> transport);
  ~Net();
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  // NetDevice.
  [[nodiscard]] net::Mac mac() const noexcept { return mac_; }
  [[nodiscard]] std::size_t mtu_bytes() const noexcept { return mtu_bytes_; }
  [[nodiscard]] net::Offload offload() const noexcept { return offload_; }
  bool send(const net::FrameOut& frame, net::Release release);
  std::optional<net::FrameIn> receive();
  void listen(base::Work* on_frames, base::Work* on_space) noexcept;

  // For who sleeps. The loop whose works those are.
  void serve(base::Loop& loop) noexcept { loop_ = &loop; }
  // Tells the device what is new, and takes from it what it is done with. True: work was scheduled.
  bool poll();
  // False: something came meanwhile, do not sleep.
  [[nodiscard]] bool prepare_to_sleep() noexcept;

  [[nodiscard]] std::uint64_t dropped_count() const noexcept { return dropped_count_; }

 private:
  // struct virtio_net_hdr; `buffer_count` is not there in the old protocol.
  struct Header {
    std::uint8_t flags, segmentation;
    std::uint16_t header_bytes, segment_bytes, checksum_from, checksum_field, buffer_count;
  };
  static_assert(sizeof(Header) == 12);
  struct Sent {
    Header header{};
    net::Release release;
    std::unique_ptr<std::byte[]> copy;  // of a frame in too many pieces
  };
  static constexpr std::size_t pieces_max = 64;

  void read_config(std::uint64_t agreed);
  void begin_receiving();
  void reclaim();
  [[nodiscard]] bool is_copied(const net::FrameOut& frame) const noexcept;
  void notify();
  void offer_frame(const net::FrameOut& frame, Sent& sent, std::size_t bytes);
  [[nodiscard]] std::byte* buffer(std::uint16_t head) const noexcept;

  std::unique_ptr<Transport> transport_;
  base::Loop* loop_ = nullptr;
  base::Work* on_frames_ = nullptr;
  base::Work* on_space_ = nullptr;
  net::Mac mac_{};
  std::size_t mtu_bytes_ = 1500;
  net::Offload offload_;
  std::size_t header_bytes_ = sizeof(Header);
  std::unique_ptr<Queue> in_;
  std::unique_ptr<Queue> out_;
  std::unique_ptr<std::byte[]> buffers_;
  std::size_t buffer_bytes_ = 0;
  std::optional<std::uint16_t> lent_;  // the buffer that the last frame stands in
  std::vector<Sent> sent_;             // by the head of their chain
  std::uint16_t unnotified_ = 0;
  bool wants_space_ = false;
  std::uint64_t dropped_count_ = 0;
};

static_assert(net::NetDevice<Net>);

}  // namespace virtio_target
