// SPDX-License-Identifier: ISC
#include "targets/virtio/net.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/check.hpp"

namespace virtio_target {

namespace {

constexpr unsigned in_queue = 0;
constexpr unsigned out_queue = 1;

constexpr std::uint64_t feature_sums = 1U << 0U;        // the device sums what is sent
constexpr std::uint64_t feature_takes_sums = 1U << 1U;  // frames may come without sums
constexpr std::uint64_t feature_mtu = 1U << 3U;
constexpr std::uint64_t feature_mac = 1U << 5U;
// The device cuts large TCP segments, of IPv4 and of IPv6. (Not HOST_ECN: nothing here sets CWR.)
constexpr std::uint64_t feature_cuts4 = 1U << 11U;
constexpr std::uint64_t feature_cuts6 = 1U << 12U;
constexpr std::uint64_t feature_cuts = feature_cuts4 | feature_cuts6;

constexpr std::uint8_t needs_sum = 1;
constexpr std::uint8_t sum_is_good = 2;

// Header::segmentation.
constexpr std::uint8_t cut_ipv4 = 1;
constexpr std::uint8_t cut_ipv6 = 4;
// A packet of IP, and of that what headers with all their options leave.
constexpr std::size_t packet_bytes_max = 65'535;
constexpr std::size_t segmentation_bytes = packet_bytes_max - 60 - 60;

// Frames that are offered before the device is told.
constexpr std::uint16_t unnotified_max = 32;
// Frames that may come before they are looked at.
constexpr std::uint16_t received_max = 256;
constexpr std::size_t received_bytes_max = 1U << 20U;

// What tells the device how to cut. All headers are in the first piece (net/device.hpp).
void ask_to_cut(const net::FrameOut& frame, std::uint8_t& kind, std::uint16_t& header_bytes) {
  const base::Bytes head = frame.pieces.front();
  const std::size_t tcp = frame.checksum->from;
  CHECK(head.size() > tcp + 12);
  const bool is_ipv6 = std::to_integer<unsigned>(head[12]) == 0x86;  // of the EtherType
  kind = is_ipv6 ? cut_ipv6 : cut_ipv4;
  const std::size_t words = std::to_integer<std::size_t>(head[tcp + 12]) >> 4U;
  header_bytes = static_cast<std::uint16_t>(tcp + 4 * words);
}

std::uint16_t size_of_queue(Transport& transport, unsigned index, std::uint16_t most) {
  const std::uint16_t offered = transport.queue_size_max(index);
  if (offered < 8) throw std::runtime_error("the network device has no room in its queues");
  return std::bit_floor(std::min(offered, most));
}

}  // namespace

Net::Net(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {
  const std::uint64_t wanted = feature_sums | feature_takes_sums | feature_mtu | feature_mac |
                               feature_cuts | feature_any_layout | feature_events |
                               feature_version_1;
  const std::uint64_t agreed = transport_->features() & wanted;
  transport_->agree(agreed);
  // The old header ends before the count of buffers.
  if ((agreed & feature_version_1) == 0) header_bytes_ = offsetof(Header, buffer_count);
  offload_.send = (agreed & feature_sums) != 0;
  offload_.receive = (agreed & feature_takes_sums) != 0;
  if (offload_.send && (agreed & feature_cuts) == feature_cuts) {
    offload_.segmentation_bytes = segmentation_bytes;
  }
  read_config(agreed);
  const bool has_events = (agreed & feature_events) != 0;
  buffer_bytes_ = (header_bytes_ + net::ethernet_header_bytes + mtu_bytes_ + 63) / 64 * 64;
  const auto fitting = static_cast<std::uint16_t>(
      std::min<std::size_t>(received_max, received_bytes_max / buffer_bytes_));
  in_ = std::make_unique<Queue>(size_of_queue(*transport_, in_queue, fitting), has_events);
  out_ =
      std::make_unique<Queue>(size_of_queue(*transport_, out_queue, queue_size_most), has_events);
  sent_.resize(out_->size());
  transport_->add_queue(in_queue, *in_);
  transport_->add_queue(out_queue, *out_);
  transport_->begin();
  begin_receiving();
}

Net::~Net() {
  transport_->reset();
  for (Sent& sent : sent_) sent.release();
}

// struct virtio_net_config.
void Net::read_config(std::uint64_t agreed) {
  constexpr unsigned mtu_at = 10;
  // RFC 791; VIRTIO 1.2 section 5.1.4.1 forbids less.
  constexpr std::size_t mtu_bytes_min = 68;
  mac_ = {0x02, 0, 0, 0, 0, 1};
  if ((agreed & feature_mac) != 0) {
    const std::uint64_t mac = transport_->config_number(0, sizeof mac_);
    for (unsigned i = 0; i < mac_.size(); ++i) mac_.at(i) = static_cast<std::uint8_t>(mac >> 8 * i);
  }
  if ((agreed & feature_mtu) != 0) {
    mtu_bytes_ = static_cast<std::size_t>(transport_->config_number(mtu_at, 2));
  }
  if (mtu_bytes_ < mtu_bytes_min) {
    throw std::runtime_error("the network device says an MTU of " + std::to_string(mtu_bytes_) +
                             "; IPv4 needs 68");
  }
}

std::byte* Net::buffer(std::uint16_t head) const noexcept {
  return buffers_.get() + head * buffer_bytes_;
}

// Each buffer is a chain of one descriptor, whose index is the buffer's.
void Net::begin_receiving() {
  buffers_ = std::make_unique<std::byte[]>(buffer_bytes_ * in_->size());
  for (std::uint16_t i = 0; i < in_->size(); ++i) {
    const Queue::Part part{buffer(i), static_cast<std::uint32_t>(buffer_bytes_), true};
    CHECK(in_->offer({&part, 1}) == i);
  }
  if (in_->publish()) transport_->notify(in_queue);
}

void Net::listen(base::Work* on_frames, base::Work* on_space) noexcept {
  on_frames_ = on_frames;
  on_space_ = on_space;
}

bool Net::send(const net::FrameOut& frame, net::Release release) {
  std::size_t bytes = 0;
  for (const base::Bytes& piece : frame.pieces) bytes += piece.size();
  const bool is_cut = frame.segment_bytes != 0;
  const std::size_t packet_max =
      is_cut && offload_.segmentation_bytes > 0 ? packet_bytes_max : mtu_bytes_;
  if (bytes > packet_max + net::ethernet_header_bytes) {
    ++dropped_count_;
    release();
    return true;
  }
  const std::size_t parts = is_copied(frame) ? 2 : 1 + frame.pieces.size();
  if (out_->free_count() < parts) {
    notify();
    reclaim();
  }
  if (out_->free_count() < parts) {
    wants_space_ = true;
    return false;
  }
  Sent sent;
  sent.release = release;
  if (frame.checksum) {
    sent.header.flags = needs_sum;
    sent.header.checksum_from = frame.checksum->from;
    sent.header.checksum_field = frame.checksum->field;
  }
  if (is_cut) {
    sent.header.segment_bytes = frame.segment_bytes;
    ask_to_cut(frame, sent.header.segmentation, sent.header.header_bytes);
  }
  offer_frame(frame, sent, bytes);
  if (++unnotified_ >= unnotified_max) notify();
  return true;
}

// Pieces must leave room in the ring for other frames.
bool Net::is_copied(const net::FrameOut& frame) const noexcept {
  return frame.pieces.size() > std::min<std::size_t>(pieces_max, out_->size() / 4U);
}

void Net::offer_frame(const net::FrameOut& frame, Sent& sent, std::size_t bytes) {
  std::array<Queue::Part, pieces_max + 1> parts;
  Sent& slot = sent_.at(out_->next_head());
  std::size_t count = 0;
  parts.at(count++) = {&slot.header, static_cast<std::uint32_t>(header_bytes_), false};
  if (!is_copied(frame)) {
    for (const base::Bytes& piece : frame.pieces) {
      if (piece.empty()) continue;
      parts.at(count++) = {piece.data(), static_cast<std::uint32_t>(piece.size()), false};
    }
  } else {
    sent.copy = std::make_unique_for_overwrite<std::byte[]>(bytes);
    std::byte* end = sent.copy.get();
    for (const base::Bytes& piece : frame.pieces) end = std::ranges::copy(piece, end).out;
    parts.at(count++) = {sent.copy.get(), static_cast<std::uint32_t>(bytes), false};
    sent.release();
    sent.release = {};
  }
  slot = std::move(sent);
  static_cast<void>(out_->offer({parts.data(), count}));
}

void Net::notify() {
  unnotified_ = 0;
  if (out_->publish()) transport_->notify(out_queue);
}

void Net::reclaim() {
  while (const std::optional<Queue::Used> used = out_->take()) {
    Sent& sent = sent_.at(used->head);
    const net::Release release = std::exchange(sent.release, {});
    sent.copy.reset();
    out_->give_back(used->head);
    release();
  }
}

std::optional<net::FrameIn> Net::receive() {
  for (;;) {
    if (lent_) {
      in_->offer_again(*lent_);
      lent_.reset();
    }
    const std::optional<Queue::Used> used = in_->take();
    if (!used) break;
    lent_ = used->head;
    if (used->bytes <= header_bytes_ || used->bytes > buffer_bytes_) {
      ++dropped_count_;
      continue;
    }
    Header header{};
    std::memcpy(&header, buffer(used->head), header_bytes_);
    net::FrameIn frame;
    frame.bytes = {buffer(used->head) + header_bytes_, used->bytes - header_bytes_};
    frame.checksum_is_good = offload_.receive && (header.flags & (needs_sum | sum_is_good)) != 0;
    return frame;
  }
  if (in_->publish()) transport_->notify(in_queue);
  return std::nullopt;
}

bool Net::poll() {
  static_cast<void>(transport_->took_interrupt());
  notify();
  reclaim();
  bool scheduled = false;
  if (wants_space_ && out_->free_count() >= out_->size() / 2 && on_space_ != nullptr) {
    wants_space_ = false;
    loop_->schedule(*on_space_);
    scheduled = true;
  }
  if (on_frames_ != nullptr && in_->has_used()) {
    loop_->schedule(*on_frames_);
    scheduled = true;
  }
  return scheduled;
}

bool Net::prepare_to_sleep() noexcept {
  const bool none_came = on_frames_ == nullptr || in_->ask_for_interrupt();
  if (!wants_space_) {
    out_->refuse_interrupts();
    return none_came;
  }
  return out_->ask_for_interrupt() && none_came;
}

}  // namespace virtio_target
