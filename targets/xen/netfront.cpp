// SPDX-License-Identifier: ISC
#include "targets/xen/netfront.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "targets/xen/netfront_rings.hpp"

namespace xen_target {

Netfront::Netfront(Host& host, Grants& grants, const Facts& facts)
    : host_(host), grants_(grants), facts_(facts), rings_(std::make_unique<Rings>()) {
  facts_.mtu_bytes = std::min(facts_.mtu_bytes, mtu_bytes_max);
}

// The domain ends with its device: what is still held then is read by nobody who counts.
Netfront::~Netfront() {
  if (is_open_) close();
  for (Left& left : left_) end(left);
}

void Netfront::listen(base::Work* on_frames, base::Work* on_space) noexcept {
  on_frames_ = on_frames;
  on_space_ = on_space;
}

// Opening and closing.

bool Netfront::prepare(Host::Domain domain) {
  constexpr std::uint32_t size = FrontRing<netif_tx_sring>::size;
  look_at_left();
  // What an earlier backend has not let go of is made up for.
  slots_.resize(size);
  sent_.resize(size);
  pages_.resize(size);
  page_references_.resize(size);
  // Closing takes no memory.
  left_.reserve(left_.size() + 2 * std::size_t{size} + 2);
  kept_frames_.reserve(kept_frames_.size() + size);
  auto reserve = [&](Grants::Reference& reference) {
    if (reference != 0) return true;
    const std::optional<Grants::Reference> more = grants_.reserve();
    if (more) reference = *more;
    return more.has_value();
  };
  if (!reserve(connection_.sending) || !reserve(connection_.receiving)) return false;
  free_slots_.clear();
  for (std::uint32_t i = 0; i < size; ++i) {
    if (!reserve(slots_[i].reference) || !reserve(page_references_[i])) return false;
    if (pages_[i] == nullptr) pages_[i] = new_pages(page_bytes);
    free_slots_.push_back(static_cast<std::uint16_t>(size - 1 - i));
  }
  if (rings_->out_page == nullptr) rings_->out_page = new_pages(page_bytes);
  if (rings_->in_page == nullptr) rings_->in_page = new_pages(page_bytes);
  std::memset(rings_->out_page.get(), 0, page_bytes);
  std::memset(rings_->in_page.get(), 0, page_bytes);
  connection_.port = host_.new_port(domain);
  return connection_.port != 0;
}

std::optional<Netfront::Connection> Netfront::open(Host::Domain domain, bool scatters) {
  CHECK(!is_open_);
  if (!prepare(domain)) return std::nullopt;
  domain_ = domain;
  frame_slots_max_ = scatters ? slots_max : 1;
  rings_->out.begin(rings_->out_page.get());
  rings_->in.begin(rings_->in_page.get());
  segmentations_in_flight_ = 0;
  is_page_lent_ = is_rest_ = false;
  unnotified_ = 0;
  is_heard_ = false;
  broken_by_ = {};
  grants_.open(connection_.sending, rings_->out_page.get(), domain, Grants::Access::write);
  grants_.open(connection_.receiving, rings_->in_page.get(), domain, Grants::Access::write);
  for (std::uint32_t i = 0; i < rings_->in.size; ++i) offer_page();
  static_cast<void>(rings_->in.publish());
  is_open_ = true;
  return connection_;
}

void Netfront::be_heard() {
  is_heard_ = true;
  notify();
}

void Netfront::close() noexcept {
  CHECK(is_open_);
  is_open_ = false;
  host_.close_port(connection_.port);
  connection_.port = 0;
  take_back(connection_.sending, rings_->out_page);
  take_back(connection_.receiving, rings_->in_page);
  for (std::size_t i = 0; i < pages_.size(); ++i) take_back(page_references_[i], pages_[i]);
  for (Slot& slot : slots_) {
    if (slot.is_in_flight) take_back(slot);
  }
  release_all();
}

void Netfront::take_back(Grants::Reference& reference, Page& page) noexcept {
  if (!grants_.close(reference)) leave(reference, page, no_frame);
}

void Netfront::take_back(Slot& slot) noexcept {
  if (grants_.close(slot.reference)) return;
  Sent& sent = sent_[slot.head];
  // The pieces of a frame that was not copied are its sender's: they stay until it is released.
  if (sent.kept == no_frame && sent.release.call != nullptr) {
    sent.kept = keep(std::exchange(sent.release, {}));
  }
  leave(slot.reference, sent.copy, sent.kept);
}

// Neither the page nor its reference is used again before the backend lets go.
void Netfront::leave(Grants::Reference& reference, Page& page, std::size_t frame) noexcept {
  if (frame != no_frame) ++kept_frames_[frame].references;
  left_.push_back({std::exchange(reference, 0), std::move(page), frame});
  ++counts_.left;
}

std::size_t Netfront::keep(net::Release release) noexcept {
  const auto free = std::ranges::find(kept_frames_, std::size_t{0}, &KeptFrame::references);
  const auto index = static_cast<std::size_t>(free - kept_frames_.begin());
  if (free == kept_frames_.end()) kept_frames_.emplace_back();
  kept_frames_[index].release = release;
  return index;
}

void Netfront::end(Left& left) noexcept {
  left.page.reset();
  if (left.frame == no_frame) return;
  KeptFrame& frame = kept_frames_[left.frame];
  if (--frame.references == 0) std::exchange(frame.release, {})();
}

void Netfront::look_at_left() noexcept {
  const auto has_let_go = [this](Left& left) {
    if (!grants_.close(left.reference)) return false;
    grants_.free(left.reference);
    end(left);
    --counts_.left;
    return true;
  };
  std::erase_if(left_, has_let_go);
}

bool Netfront::is_let_go() const noexcept {
  return !is_open_ ||
         (!grants_.is_used(connection_.sending) && !grants_.is_used(connection_.receiving));
}

void Netfront::forget() noexcept {
  is_open_ = false;
  connection_.port = 0;
  release_all();
  look_at_left();
}

void Netfront::release_all() noexcept {
  for (Slot& slot : slots_) slot.is_in_flight = false;
  for (Sent& sent : sent_) {
    sent.slots_left = 0;
    sent.kept = no_frame;
    sent.copy.reset();
    std::exchange(sent.release, {})();
  }
}

void Netfront::break_off(std::string_view why) noexcept {
  if (broken_by_.empty()) broken_by_ = why;
}

// Receiving.

// Pages come back in the order in which they were offered, so each has its place in the ring.
void Netfront::offer_page() noexcept {
  const std::uint32_t slot = rings_->in.request_slot();
  grants_.open(page_references_[slot], pages_[slot].get(), domain_, Grants::Access::write);
  netif_rx_request request{};
  request.id = static_cast<std::uint16_t>(slot);
  request.gref = page_references_[slot];
  rings_->in.put(request);
}

bool Netfront::has_frames() {
  if (!is_open_ || !broken_by_.empty()) return false;
  const std::uint32_t ready = rings_->in.ready();
  if (!rings_->in.is_sane(ready)) {
    break_off("it delivered more than there was room for");
    return false;
  }
  return ready > 0;
}

std::optional<net::FrameIn> Netfront::receive() {
  for (;;) {
    if (is_page_lent_ && is_open_ && broken_by_.empty()) offer_page();
    is_page_lent_ = false;
    if (!has_frames()) break;
    const std::uint32_t slot = rings_->in.response_slot();
    const netif_rx_response response = rings_->in.take();
    if (!grants_.close(page_references_[slot])) {
      break_off("it keeps pages of frames that it says have come");
      break;
    }
    is_page_lent_ = true;
    const bool is_part = is_rest_;
    is_rest_ = (response.flags & (NETRXF_more_data | NETRXF_extra_info)) != 0;
    if (is_part || is_rest_ || response.status <= 0 ||
        response.offset + std::size_t{static_cast<std::uint16_t>(response.status)} > page_bytes) {
      ++counts_.dropped;
      continue;
    }
    ++counts_.received;
    net::FrameIn frame;
    frame.bytes = {pages_[slot].get() + response.offset, static_cast<std::size_t>(response.status)};
    frame.checksum_is_good = facts_.offload.receive &&
                             (response.flags & (NETRXF_csum_blank | NETRXF_data_validated)) != 0;
    return frame;
  }
  return std::nullopt;
}

// Idling.

bool Netfront::poll() {
  notify();
  reclaim();
  if (!left_.empty()) look_at_left();
  bool scheduled = false;
  const bool has_room = !is_open_ || room() >= rings_->out.size / 2;
  if (wants_space_ && has_room && on_space_ != nullptr) {
    wants_space_ = false;
    loop_->schedule(*on_space_);
    scheduled = true;
  }
  if (on_frames_ != nullptr && has_frames()) {
    loop_->schedule(*on_frames_);
    scheduled = true;
  }
  return scheduled;
}

bool Netfront::prepare_to_sleep() noexcept {
  if (!is_open_ || !broken_by_.empty()) return true;
  static_cast<void>(host_.take_event(connection_.port));
  if (on_frames_ != nullptr && rings_->in.ask_for(1)) return false;
  if (!wants_space_) return true;
  const std::uint32_t half = rings_->out.in_flight() / 2;
  return !rings_->out.ask_for(half == 0 ? 1 : half);
}

}  // namespace xen_target
