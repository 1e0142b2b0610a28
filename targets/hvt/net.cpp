// SPDX-License-Identifier: ISC
#include "targets/hvt/net.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "targets/hvt/hypercall.hpp"
#include "targets/hvt/notes.hpp"
#include "targets/libos/once.hpp"

namespace hvt_target {

Net::Net(const BootInfo& from)
    : mac_(std::to_array(from.mac)),
      mtu_bytes_(from.mtu_bytes),
      frame_bytes_max_(mtu_bytes_ + net::ethernet_header_bytes) {
  // The least that IPv4 can do with; 0 where there is no device.
  constexpr std::size_t mtu_bytes_min = 68;
  if (!from.has_network || mtu_bytes_ < mtu_bytes_min) {
    throw std::runtime_error("the tender has not attached the network device 'service'");
  }
  if (from.ring != nullptr) {
    ring_ = std::make_unique<RingEnd>(*from.ring, frame_bytes_max_);
    return;
  }
  in_ = std::make_unique<std::byte[]>(frame_bytes_max_);
  out_ = std::make_unique<std::byte[]>(frame_bytes_max_);
}

// Others this device cannot send.
bool Net::is_good(const net::FrameOut& frame, std::size_t bytes) const noexcept {
  return !frame.checksum && frame.segment_bytes == 0 && bytes >= net::ethernet_header_bytes &&
         bytes <= frame_bytes_max_;
}

bool Net::send(const net::FrameOut& frame, net::Release release) {
  std::size_t bytes = 0;
  for (const base::Bytes piece : frame.pieces) bytes += piece.size();
  bool is_sent = false;
  if (is_good(frame, bytes)) {
    const bool is_whole = !ring_ && frame.pieces.front().size() == bytes;
    std::byte* const room = is_whole ? nullptr : ring_ ? ring_->next_out() : out_.get();
    std::byte* to = room;
    if (!is_whole) {
      for (const base::Bytes piece : frame.pieces) to = std::ranges::copy(piece, to).out;
    }
    if (ring_) ring_->send(room, bytes);
    is_sent = ring_ || write(is_whole ? frame.pieces.front() : base::Bytes(room, bytes));
  }
  if (!is_sent) ++dropped_count_;
  release();
  return true;
}

bool Net::write(base::Bytes frame) noexcept {
  solo5::NetTransfer call{service_handle, address_of(frame.data()), frame.size(),
                          solo5::Answer::unspecified, 0};
  ask(solo5::Call::net_write, call);
  return call.answer == solo5::Answer::ok;
}

std::optional<net::FrameIn> Net::receive() {
  const std::optional<base::Bytes> frame = ring_ ? receive_from_ring() : read();
  if (!frame) return std::nullopt;
  return net::FrameIn{*frame};
}

std::optional<base::Bytes> Net::receive_from_ring() {
  if (!ring_->has_frames() && std::exchange(may_have_come_, false)) {
    ring_->exchange();
    may_have_come_ = ring_->may_have_more();
  }
  return ring_->receive();
}

// To ask for one that is not there costs as much as to take one. Where frames come one by one, the
// next poll says whether there is another; now and then it is tried.
bool Net::Arrivals::shall_ask() noexcept {
  constexpr unsigned tried_each = 8;
  return count_ != 1 || count_before_ > 1 || ++not_asked_ % tried_each == 0;
}

std::optional<base::Bytes> Net::read() {
  solo5::NetTransfer call{service_handle, address_of(in_.get()), frame_bytes_max_,
                          solo5::Answer::again, 0};
  if (arrivals_.shall_ask()) ask(solo5::Call::net_read, call);
  const solo5::NetTransfer answer = libos::read_once(call);
  if (answer.answer != solo5::Answer::ok || answer.bytes > frame_bytes_max_) {
    arrivals_.end();
    return std::nullopt;
  }
  arrivals_.count_one();
  return base::Bytes(in_.get(), answer.bytes);
}

void Net::listen(base::Work* on_frames, base::Work* /*on_space*/) noexcept {
  on_frames_ = on_frames;
}

void Net::frames_have_come() noexcept {
  may_have_come_ = true;
  arrivals_.begin();
  if (on_frames_ != nullptr) loop_->schedule(*on_frames_);
}

bool Net::exchange() {
  if (!ring_ || !ring_->has_unkicked() || ring_->has_frames()) return false;
  ring_->exchange();
  if (!ring_->has_frames()) return false;
  may_have_come_ = ring_->may_have_more();
  if (on_frames_ != nullptr) loop_->schedule(*on_frames_);
  return true;
}

}  // namespace hvt_target
