// SPDX-License-Identifier: ISC
// net/device.hpp: what it means to be a wire: Ethernet frames in and out.
//
// States:  NetDevice, FrameOut, FrameIn, Release.
// Modelled by: targets/unix/tap, targets/virtio, targets/hvt, targets/xen.
// Used by: net/lwip.   May include: base only.
// Source:  the shape follows MirageOS's Mirage_net.S; borrowed frames and lasting pieces are ours.

#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "base/loop.hpp"

namespace net {

using Mac = std::array<std::uint8_t, 6>;

// The 14 bytes before a frame's payload: two addresses and the EtherType.
inline constexpr std::size_t ethernet_header_bytes = 14;

// What a device does with TCP and UDP so that the stack need not.
struct Offload {
  bool send = false;     // FrameOut::checksum may be set
  bool receive = false;  // FrameIn::checksum_is_good may be set

  // The most bytes of TCP payload in one FrameOut whose segment_bytes is set; 0: the device cuts
  // none. Never without `send`.
  std::size_t segmentation_bytes = 0;
};

// Where the device is to put a checksum. The field holds the sum of the pseudo header already.
struct ChecksumRequest {
  std::uint16_t from = 0;   // the first byte that is summed, counted from the frame's first
  std::uint16_t field = 0;  // where the two bytes of the result go, counted from `from`
};

// What the device calls, once, when it no longer reads the bytes of a frame: they may change or go.
struct Release {
  void (*call)(void* owner) noexcept = nullptr;
  void* owner = nullptr;

  void operator()() const noexcept {
    if (call != nullptr) call(owner);
  }
};

// A frame to send: the Ethernet header first, no frame check sequence, in pieces.
struct FrameOut {
  std::span<const base::Bytes> pieces;
  std::optional<ChecksumRequest> checksum{};

  // Not 0: a TCP segment that is too large for the wire, to be cut by the device, or by the host
  // behind it, into frames of so many bytes of payload each (TCP segmentation offload). `checksum`
  // is set, the lengths in the headers are those of the whole, and all headers, Ethernet's to
  // TCP's, are in the first piece.
  std::uint16_t segment_bytes = 0;
};

// A frame that has come.
struct FrameIn {
  base::Bytes bytes;
  bool checksum_is_good = false;  // checked by the device, or the frame comes from the host itself
};

// A device.
//
// Laws (tests/net/device_laws_test.cpp, on the devices in memory and on a tap; tests/probe, on
// those of virtio, hvt and Xen in their labs):
//   1. mac() and mtu_bytes() never change. mtu_bytes() does not count the 14-byte header, as in
//      Solo5 and Mirage. The largest frame is mtu_bytes() + 14.
//   2. send(frame, release) answers true when it took the frame. It then calls `release` once, at
//      any later time or before it returns; the span of pieces itself is read before it returns.
//      It answers false, and calls nothing, when it has no room now: the frame is not sent.
//   3. After send answered false, `on_space` is scheduled once when there is room again.
//   4. A frame may be lost, never cut short: one that is larger than the largest, and does not ask
//      to be segmented within offload().segmentation_bytes, is refused like law 2's true, and
//      counted as dropped.
//   5. receive() answers the next frame, or nothing. Its bytes stand until the next receive().
//      Frames keep their order. It never waits.
//   6. `on_frames` is scheduled when a frame may have come after receive() answered nothing; who
//      was scheduled calls receive() until it answers nothing, or schedules itself again.
//   7. listen() names the two works; until it is called nothing is scheduled. They outlive the
//      device, or listen(nullptr, nullptr) is called first.
template <class D>
concept NetDevice = requires(D& device, const D& fixed, const FrameOut& frame, Release release,
                             base::Work* work) {
  { fixed.mac() } -> std::convertible_to<Mac>;
  { fixed.mtu_bytes() } -> std::convertible_to<std::size_t>;
  { fixed.offload() } -> std::convertible_to<Offload>;
  { device.send(frame, release) } -> std::same_as<bool>;
  { device.receive() } -> std::same_as<std::optional<FrameIn>>;
  { device.listen(/*on_frames=*/work, /*on_space=*/work) } -> std::same_as<void>;
};

}  // namespace net
