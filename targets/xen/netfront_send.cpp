// SPDX-License-Identifier: ISC
// The sending half of the network device: netfront.hpp.

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "targets/xen/netfront_rings.hpp"

namespace xen_target {

namespace {

// Slots that are filled before the backend is told.
constexpr unsigned unnotified_max = 64;
constexpr std::size_t frame_bytes_max = XEN_NETIF_MAX_TX_SIZE;

std::size_t offset_in_page(const void* at) {
  return reinterpret_cast<std::uintptr_t>(at) % page_bytes;
}

// Calls visit(at, offset in its page, bytes) for each page that the pieces touch.
template <class Visit>
void for_each_slot(std::span<const base::Bytes> pieces, Visit&& visit) {
  for (base::Bytes rest : pieces) {
    while (!rest.empty()) {
      const std::size_t offset = offset_in_page(rest.data());
      const std::size_t now = std::min(page_bytes - offset, rest.size());
      visit(rest.data(), offset, now);
      rest = rest.subspan(now);
    }
  }
}

std::size_t slots_of(std::span<const base::Bytes> pieces) {
  std::size_t count = 0;
  for_each_slot(pieces, [&](const std::byte*, std::size_t, std::size_t) { ++count; });
  return count;
}

// Linux's netback drops a frame whose first slot does not have the whole Ethernet header, for
// example because it lies over the end of a page.
bool has_header_in_first_slot(std::span<const base::Bytes> pieces) {
  const auto first = std::ranges::find_if(pieces, [](base::Bytes one) { return !one.empty(); });
  if (first == pieces.end()) return true;
  return std::min(page_bytes - offset_in_page(first->data()), first->size()) >=
         net::ethernet_header_bytes;
}

std::uint8_t segmentation_type(const net::FrameOut& frame) {
  constexpr std::size_t type_at = 12;
  constexpr unsigned ipv6 = 0x86dd;
  const base::Bytes head = frame.pieces.front();
  CHECK(head.size() > net::ethernet_header_bytes);
  const unsigned type =
      std::to_integer<unsigned>(head[type_at]) << 8U | std::to_integer<unsigned>(head[type_at + 1]);
  return type == ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
}

}  // namespace

bool Netfront::is_too_large(const net::FrameOut& frame, std::size_t bytes) const noexcept {
  if (frame.segment_bytes == 0) return bytes > facts_.mtu_bytes + net::ethernet_header_bytes;
  return facts_.offload.segmentation_bytes == 0 || bytes > frame_bytes_max;
}

bool Netfront::send(const net::FrameOut& frame, net::Release release) {
  std::size_t bytes = 0;
  for (const base::Bytes& piece : frame.pieces) bytes += piece.size();
  if (!is_open_ || !broken_by_.empty() || bytes == 0 || is_too_large(frame, bytes)) {
    ++counts_.dropped;
    release();
    return true;
  }
  std::size_t slots = slots_of(frame.pieces);
  const bool copied =
      slots > frame_slots_max_ || (slots > 1 && !has_header_in_first_slot(frame.pieces));
  if (copied) slots = (bytes + page_bytes - 1) / page_bytes;
  if (frame.segment_bytes != 0) ++slots;
  if (room() < slots) {
    notify();
    reclaim();
  }
  if (room() < slots) {
    wants_space_ = true;
    return false;
  }
  put_frame(frame, bytes, release, copied);
  ++counts_.sent;
  unnotified_ += static_cast<unsigned>(slots);
  if (unnotified_ >= unnotified_max) notify();
  return true;
}

std::uint16_t Netfront::put_slot(const std::byte* at, std::size_t in_page, std::size_t size,
                                 unsigned flags, std::uint16_t head) {
  CHECK(!free_slots_.empty());
  const std::uint16_t number = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[number];
  slot.is_in_flight = true;
  slot.head = head == slots_.size() ? number : head;
  grants_.open(slot.reference, at, domain_, Grants::Access::read);
  netif_tx_request request{};
  request.gref = slot.reference;
  request.offset = static_cast<std::uint16_t>(in_page);
  request.flags = static_cast<std::uint16_t>(flags);
  request.id = number;
  request.size = static_cast<std::uint16_t>(size);
  rings_->out.put(request);
  return number;
}

void Netfront::put_segmentation(const net::FrameOut& frame) {
  netif_extra_info extra{};
  extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
  extra.u.gso.size = frame.segment_bytes;
  extra.u.gso.type = segmentation_type(frame);
  rings_->out.put(extra);
  ++segmentations_in_flight_;
}

void Netfront::put_frame(const net::FrameOut& frame, std::size_t bytes, net::Release release,
                         bool copied) {
  Page copy;
  base::Bytes whole;
  std::span<const base::Bytes> pieces = frame.pieces;
  if (copied) {
    copy = new_pages(bytes);
    std::byte* end = copy.get();
    for (const base::Bytes& piece : pieces) end = std::ranges::copy(piece, end).out;
    whole = {copy.get(), bytes};
    pieces = {&whole, 1};
  }
  const std::size_t count = slots_of(pieces);
  const auto none = static_cast<std::uint16_t>(slots_.size());
  std::uint16_t head = none;
  std::size_t done = 0;
  for_each_slot(pieces, [&](const std::byte* at, std::size_t offset, std::size_t size) {
    unsigned flags = ++done < count ? NETTXF_more_data : 0U;
    if (head != none) {
      put_slot(at, offset, size, flags, head);
      return;
    }
    // The first says how many bytes the whole frame has.
    if (frame.checksum) flags |= NETTXF_csum_blank | NETTXF_data_validated;
    if (frame.segment_bytes != 0) flags |= NETTXF_extra_info;
    head = put_slot(at, offset, bytes, flags, none);
    if (frame.segment_bytes != 0) put_segmentation(frame);
  });
  Sent& sent = sent_[head];
  sent.slots_left = static_cast<std::uint16_t>(count);
  sent.copy = std::move(copy);
  if (copied) {
    release();
  } else {
    sent.release = release;
  }
}

void Netfront::notify() {
  unnotified_ = 0;
  if (!is_open_ || !is_heard_ || !broken_by_.empty()) return;
  if (!wants_space_) rings_->out.refuse_events();
  // Both rings have one event channel.
  const bool of_sent = rings_->out.publish();
  const bool of_room = rings_->in.publish();
  if (of_sent || of_room) host_.notify(connection_.port);
}

std::size_t Netfront::room() const noexcept {
  return std::min<std::size_t>(rings_->out.room(), free_slots_.size());
}

void Netfront::end_slot(std::uint16_t number) {
  if (number >= slots_.size() || !slots_[number].is_in_flight) {
    break_off("it answered what was not asked");
    return;
  }
  Slot& slot = slots_[number];
  if (!grants_.close(slot.reference)) {
    break_off("it keeps pages of frames that it says are sent");
    return;
  }
  slot.is_in_flight = false;
  if (number != slot.head) free_slots_.push_back(number);
  Sent& sent = sent_[slot.head];
  if (--sent.slots_left > 0) return;
  // The first slot's number is the frame's: it is free when the frame is.
  free_slots_.push_back(slot.head);
  sent.copy.reset();
  std::exchange(sent.release, {})();
}

void Netfront::reclaim() {
  if (!is_open_ || !broken_by_.empty()) return;
  const std::uint32_t ready = rings_->out.ready();
  if (!rings_->out.is_sane(ready)) {
    break_off("it answered more than was asked of it");
    return;
  }
  for (std::uint32_t i = 0; i < ready && broken_by_.empty(); ++i) {
    const netif_tx_response response = rings_->out.take();
    if (response.status != NETIF_RSP_NULL) {
      end_slot(response.id);
    } else if (segmentations_in_flight_ > 0) {
      --segmentations_in_flight_;
    } else {
      break_off("it answered what was not asked");
    }
  }
}

void Netfront::announce() {
  constexpr std::array<std::uint8_t, 8> reverse_request = {0, 1, 8, 0, 6, 4, 0, 3};
  constexpr std::uint16_t reverse_arp = 0x8035;
  auto put = [to = announcement_.begin()](auto&& from) mutable {
    for (const std::uint8_t byte : from) *to++ = std::byte{byte};
  };
  announcement_.fill({});
  put(std::array<std::uint8_t, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  put(facts_.mac);
  put(std::array<std::uint8_t, 2>{reverse_arp >> 8U, reverse_arp & 0xffU});
  put(reverse_request);
  put(facts_.mac);
  put(std::array<std::uint8_t, 4>{});  // addresses of IPv4 are not said
  put(facts_.mac);
  const base::Bytes piece(announcement_);
  static_cast<void>(send({.pieces = {&piece, 1}}, {}));
}

}  // namespace xen_target
