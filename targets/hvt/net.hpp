// SPDX-License-Identifier: ISC
// targets/hvt/net.hpp: the network device `service`: a hypercall for each frame, or, where the
// tender offers it, the ring for many.
//
// Models:  net::NetDevice.   Owns: room for frames under way: without the ring one each way.
// Sending: a frame has left, or is in the ring, when send returns; there is always room. One that
//          the tender does not take now is lost, and counted where the tender says so.
// Source:  Solo5's hvt_abi.h and hvt_ring.h.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "net/device.hpp"
#include "targets/hvt/machine.hpp"
#include "targets/hvt/ring.hpp"

namespace hvt_target {

class Net {
 public:
  // Throws std::runtime_error if there is none.
  explicit Net(const BootInfo& from);
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
  // Before a sleep: what is in the ring leaves. True: and frames have come.
  [[nodiscard]] bool exchange();

  [[nodiscard]] std::uint64_t dropped_count() const noexcept { return dropped_count_; }

 private:
  // How many frames came since the tender said that there are some.
  class Arrivals {
   public:
    void begin() noexcept { count_ = 0; }
    void count_one() noexcept { ++count_; }
    // Whether it is to be asked for another frame.
    [[nodiscard]] bool shall_ask() noexcept;
    void end() noexcept { count_before_ = count_; }

   private:
    unsigned count_ = 0;
    unsigned count_before_ = 0;
    unsigned not_asked_ = 0;
  };

  [[nodiscard]] bool is_good(const net::FrameOut& frame, std::size_t bytes) const noexcept;
  [[nodiscard]] bool write(base::Bytes frame) noexcept;
  std::optional<base::Bytes> read();
  std::optional<base::Bytes> receive_from_ring();

  base::Loop* loop_ = nullptr;
  base::Work* on_frames_ = nullptr;
  net::Mac mac_{};
  std::size_t mtu_bytes_ = 0;
  std::size_t frame_bytes_max_ = 0;
  std::unique_ptr<RingEnd> ring_;
  bool may_have_come_ = true;  // frames that the ring was not asked for
  Arrivals arrivals_;
  std::unique_ptr<std::byte[]> in_;
  std::unique_ptr<std::byte[]> out_;
  std::uint64_t dropped_count_ = 0;
};

static_assert(net::NetDevice<Net>);

}  // namespace hvt_target
