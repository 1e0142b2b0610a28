// SPDX-License-Identifier: ISC
// targets/hvt/net.hpp: the network device `service`: a hypercall for each frame.
//
// Models:  net::NetDevice.   Owns: room for one frame each way.
// Sending: a frame has left when send returns; there is always room. One that the tender does not
//          take now is lost, and counted: a guest is never told when it would.
// Source:  Solo5's hvt_abi.h.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "net/device.hpp"
#include "targets/hvt/machine.hpp"

namespace hvt_target {

class Net {
 public:
  // Throws std::runtime_error if there is none.
  explicit Net(const Given& from);
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  // NetDevice.
  [[nodiscard]] net::Mac mac() const noexcept { return mac_; }
  [[nodiscard]] std::size_t mtu_bytes() const noexcept { return mtu_bytes_; }
  [[nodiscard]] net::Offload offload() const noexcept { return {}; }
  bool send(const net::FrameOut& frame, net::Release release);
  std::optional<net::FrameIn> receive();
  void listen(base::Work* on_frames, base::Work* on_space) noexcept;

  // For who sleeps. The loop whose works those are.
  void serve(base::Loop& loop) noexcept { loop_ = &loop; }
  void frames_have_come() noexcept;

  [[nodiscard]] std::uint64_t dropped_count() const noexcept { return dropped_count_; }

 private:
  [[nodiscard]] std::optional<base::Bytes> in_one_piece(const net::FrameOut& frame) noexcept;

  base::Loop* loop_ = nullptr;
  base::Work* on_frames_ = nullptr;
  net::Mac mac_{};
  std::size_t mtu_bytes_ = 0;
  std::size_t frame_bytes_max_ = 0;
  std::unique_ptr<std::byte[]> in_;
  std::unique_ptr<std::byte[]> out_;
  std::uint64_t dropped_count_ = 0;
};

static_assert(net::NetDevice<Net>);

}  // namespace hvt_target
