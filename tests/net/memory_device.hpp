// SPDX-License-Identifier: ISC
// tests/net/memory_device.hpp: two network devices with a wire between them, in memory.
//
// Models:  net::NetDevice.   A wire of its own (MemoryWires::carry) may lose, change or delay what
// goes over it; without one a frame arrives at once, on the loop's next turn.

#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.hpp"
#include "net/device.hpp"
#include "tests/net/offload.hpp"

namespace net {

class MemoryDevice {
 public:
  // `queue_max`: how many frames may wait to be received; further ones are lost, as on a real one.
  MemoryDevice(base::Loop& loop, const Mac& mac, std::size_t mtu_bytes,
               std::size_t queue_max = 4096)
      : loop_(loop), mac_(mac), mtu_bytes_(mtu_bytes), queue_max_(queue_max) {}
  MemoryDevice(const MemoryDevice&) = delete;
  MemoryDevice& operator=(const MemoryDevice&) = delete;

  [[nodiscard]] Mac mac() const { return mac_; }
  [[nodiscard]] std::size_t mtu_bytes() const { return mtu_bytes_; }
  [[nodiscard]] Offload offload() const { return offered; }

  bool send(const FrameOut& frame, Release release) {
    if (on_pieces) on_pieces(frame.pieces);
    std::string bytes;
    for (base::Bytes piece : frame.pieces) bytes += base::text_of(piece);
    if (refusing) {
      was_refused_ = true;
      return false;
    }
    for (std::string& one : offload::cut(std::move(bytes), frame, offered.segmentation_bytes)) {
      if (one.size() <= mtu_bytes_ + ethernet_header_bytes) {
        ++sent_count;
        if (carry) carry(std::move(one));
      } else {
        ++dropped_count;
      }
    }
    if (hold_releases) {
      held_.push_back(release);
    } else {
      release();
    }
    return true;
  }

  std::optional<FrameIn> receive() {
    if (arrived_.empty()) return {};
    current_ = std::move(arrived_.front());
    arrived_.pop_front();
    return FrameIn{base::bytes_of(current_), vouches};
  }

  void listen(base::Work* on_frames, base::Work* on_space) {
    on_frames_ = on_frames;
    on_space_ = on_space;
  }

  // ---- The other side of it: what a wire or a test does.

  // A frame comes in. A copy is made, so that a reader past its end is caught by a sanitizer.
  void arrive(std::string_view frame) {
    if (arrived_.size() >= queue_max_) {
      ++dropped_count;
      return;
    }
    arrived_.emplace_back(frame);
    if (on_frames_ != nullptr) loop_.schedule(*on_frames_);
  }
  void accept_again() {
    refusing = false;
    if (std::exchange(was_refused_, false) && on_space_ != nullptr) loop_.schedule(*on_space_);
  }
  void release_held() {
    for (const Release& release : std::exchange(held_, {})) release();
  }
  [[nodiscard]] std::size_t held_count() const { return held_.size(); }

  // Where sent frames go; nowhere: they are lost.
  std::function<void(std::string)> carry;
  // Sees the pieces of each frame, where they lie.
  std::function<void(std::span<const base::Bytes>)> on_pieces;
  Offload offered;
  bool vouches = false;  // says of every frame that its checksum is good
  bool refusing = false;
  bool hold_releases = false;
  std::size_t sent_count = 0;
  std::size_t dropped_count = 0;

 private:
  base::Loop& loop_;
  Mac mac_;
  std::size_t mtu_bytes_;
  std::size_t queue_max_;
  std::deque<std::string> arrived_;
  std::string current_;
  std::vector<Release> held_;
  bool was_refused_ = false;
  base::Work* on_frames_ = nullptr;
  base::Work* on_space_ = nullptr;
};
static_assert(NetDevice<MemoryDevice>);

// Two devices, each of whose frames arrive at the other.
struct MemoryPair {
  explicit MemoryPair(base::Loop& loop, std::size_t mtu_bytes = 1500)
      : a(loop, {2, 0, 0, 0, 0, 1}, mtu_bytes), b(loop, {2, 0, 0, 0, 0, 2}, mtu_bytes) {
    a.carry = [this](std::string frame) { b.arrive(frame); };
    b.carry = [this](std::string frame) { a.arrive(frame); };
  }
  MemoryDevice a;
  MemoryDevice b;
};

}  // namespace net
