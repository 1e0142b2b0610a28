// SPDX-License-Identifier: ISC
#include "targets/hvt/net.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "targets/hvt/hypercall.hpp"
#include "targets/hvt/notes.hpp"

namespace hvt_target {

Net::Net(const Given& from)
    : mac_(std::to_array(from.mac)),
      mtu_bytes_(from.mtu_bytes),
      frame_bytes_max_(mtu_bytes_ + net::ethernet_header_bytes) {
  // The least that IPv4 can do with; 0 where there is no device.
  constexpr std::size_t mtu_bytes_min = 68;
  if (!from.has_network || mtu_bytes_ < mtu_bytes_min) {
    throw std::runtime_error("the tender has not attached the network device 'service'");
  }
  in_ = std::make_unique<std::byte[]>(frame_bytes_max_);
  out_ = std::make_unique<std::byte[]>(frame_bytes_max_);
}

// Nothing: this device cannot send it.
std::optional<base::Bytes> Net::in_one_piece(const net::FrameOut& frame) noexcept {
  if (frame.checksum || frame.segment_bytes != 0) return std::nullopt;
  std::size_t bytes = 0;
  for (const base::Bytes piece : frame.pieces) bytes += piece.size();
  if (bytes < net::ethernet_header_bytes || bytes > frame_bytes_max_) return std::nullopt;
  if (frame.pieces.front().size() == bytes) return frame.pieces.front();
  std::byte* to = out_.get();
  for (const base::Bytes piece : frame.pieces) to = std::ranges::copy(piece, to).out;
  return base::Bytes(out_.get(), bytes);
}

bool Net::send(const net::FrameOut& frame, net::Release release) {
  bool is_sent = false;
  if (const std::optional<base::Bytes> bytes = in_one_piece(frame)) {
    hvt::NetTransfer call{service_handle, address_of(bytes->data()), bytes->size(),
                          hvt::Answer::unspecified, 0};
    ask(hvt::Call::net_write, call);
    is_sent = call.answer == hvt::Answer::ok;
  }
  if (!is_sent) ++dropped_count_;
  release();
  return true;
}

std::optional<net::FrameIn> Net::receive() {
  hvt::NetTransfer call{service_handle, address_of(in_.get()), frame_bytes_max_,
                        hvt::Answer::unspecified, 0};
  ask(hvt::Call::net_read, call);
  if (call.answer != hvt::Answer::ok || call.bytes > frame_bytes_max_) return std::nullopt;
  return net::FrameIn{base::Bytes(in_.get(), call.bytes)};
}

void Net::listen(base::Work* on_frames, base::Work* /*on_space*/) noexcept {
  on_frames_ = on_frames;
}

void Net::frames_have_come() noexcept {
  if (on_frames_ != nullptr) loop_->schedule(*on_frames_);
}

}  // namespace hvt_target
