// SPDX-License-Identifier: ISC
// targets/unix/tap/tap.hpp: a tap interface of Linux as a network device.
//
// States:  open_tap, Tap.   Models: net::NetDevice.   Owns: its descriptor.
// Frames:  one read(2) or writev(2) each; a sent frame's bytes are the kernel's when writev
//          returns, so `release` is called at once. With IFF_VNET_HDR, which a tap that is opened
//          here has, the kernel finishes checksums of what is sent, cuts large segments, and
//          trusts what its own host sends.
// Source:  linux/if_tun.h, linux/virtio_net.h, Documentation/networking/tuntap.rst.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptors.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "base/result.hpp"
#include "net/device.hpp"

namespace unix_target {

struct OpenTap {
  int fd = -1;
  std::string name;
  net::Mac mac{};  // ours: not the one that the host has on its side
  std::size_t mtu_bytes = 1500;
  bool has_header = false;  // IFF_VNET_HDR
};

// `name`: of a tap that is there, or `fd:N` for one that whoever started the program has opened as
// descriptor N. A sentence that says what to do when it cannot be had; `key`: of the boot key that
// named it.
[[nodiscard]] base::Result<OpenTap, std::string> open_tap(std::string_view name,
                                                          std::string_view key = "tap");

class Tap final : private base::Watch {
 public:
  // Throws std::system_error when the descriptor cannot be watched.
  Tap(base::Loop& loop, base::Descriptors& descriptors, base::Log& log, const OpenTap& open);
  ~Tap();
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return open_.name; }

  [[nodiscard]] net::Mac mac() const noexcept { return open_.mac; }
  [[nodiscard]] std::size_t mtu_bytes() const noexcept { return open_.mtu_bytes; }
  [[nodiscard]] net::Offload offload() const noexcept {
    return {.send = open_.has_header,
            .receive = open_.has_header,
            .segmentation_bytes = open_.has_header ? segmentation_bytes : 0};
  }
  bool send(const net::FrameOut& frame, net::Release release) noexcept;
  std::optional<net::FrameIn> receive() noexcept;
  void listen(base::Work* on_frames, base::Work* on_space) noexcept;

  // Refused for their size, or by the kernel: the interface is down, or gone.
  [[nodiscard]] std::uint64_t dropped_count() const noexcept { return dropped_count_; }

 private:
  void run() override;
  void complain(const char* what, int why);

  static constexpr std::size_t frame_bytes_max = 65536;
  // As much as IP can count: the kernel cuts it where it leaves the host, or never.
  static constexpr std::size_t segmentation_bytes = 65'535;
  base::Loop& loop_;
  base::Descriptors& descriptors_;
  base::Log& log_;
  OpenTap open_;
  std::unique_ptr<std::byte[]> buffer_;
  base::Work* on_frames_ = nullptr;
  base::Work* on_space_ = nullptr;
  bool waits_for_space_ = false;
  bool has_complained_ = false;
  std::uint64_t dropped_count_ = 0;
};
static_assert(net::NetDevice<Tap>);

}  // namespace unix_target
