// SPDX-License-Identifier: ISC
#include "net/lwip/engine.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include <lwip/init.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "net/lwip/frame.hpp"
#include "net/lwip/memory.hpp"
#include "net/lwip/segments.hpp"
#include "net/lwip/sender.hpp"

namespace net::lwip {

namespace {

// As a wire pads them (IEEE 802.3); lwIP reads headers of that much without looking.
constexpr std::size_t frame_bytes_min = 60;

HashKey random_key(base::Entropy& entropy) {
  HashKey key{};
  entropy.fill(std::as_writable_bytes(std::span(key)));
  return key;
}

void free_sent(void* frame) noexcept { pbuf_free(static_cast<pbuf*>(frame)); }
void free_burst(void* burst) noexcept { delete static_cast<Burst*>(burst); }

// All that lwIP has allocated for a stack.
void end_all_connections() {
  while (tcp_active_pcbs != nullptr) tcp_abandon(tcp_active_pcbs, 0);
  while (tcp_tw_pcbs != nullptr) tcp_abandon(tcp_tw_pcbs, 0);
  while (tcp_bound_pcbs != nullptr) tcp_abandon(tcp_bound_pcbs, 0);
  CHECK(tcp_listen_pcbs.pcbs == nullptr);  // listeners are their owners'
  for (int i = 0; i <= IP_REASS_MAXAGE + 1; ++i) {
    ip_reass_tmr();
    ip6_reass_tmr();
  }
}

}  // namespace

Engine::Engine(base::Loop& its_loop, base::Entropy& entropy, base::Log& log,
               std::unique_ptr<AnyDevice> device, const Options& options)
    : loop(its_loop),
      clockwork(its_loop, globals),
      pool(its_loop, clockwork, options.connections_max),
      connections(options.connections_max, random_key(entropy)),
      interface(its_loop, globals, log, options),
      paths(its_loop, globals, connections, interface.lwip_netif()),
      entropy_(entropy),
      device_(std::move(device)),
      mac_(device_->mac()),
      frame_bytes_max_(device_->mtu_bytes() + ethernet_header_bytes),
      offload_(device_->offload()),
      sequence_key_(random_key(entropy)) {
  CHECK(offload_.send || offload_.segmentation_bytes == 0);
  lwip_init();
  clockwork.enter(true);
  interface.start(mac_, device_->mtu_bytes(), offload_);
  clockwork.after_tick = &interface;
  device_->listen(&frames_, &space_);
  loop.schedule(frames_);
}

Engine::~Engine() {
  globals.enter();
  paths.unschedule();
  end_all_connections();
  interface.stop();
  device_->listen(nullptr, nullptr);
}

// ---- Frames

void Engine::receive() {
  globals.enter();
  paths.forget_old();
  for (int i = 0; i < frames_per_turn_max; ++i) {
    const std::optional<FrameIn> frame = device_->receive();
    if (!frame) {
      forget_old_time_waits();
      return;
    }
    take(*frame);
  }
  forget_old_time_waits();
  loop.schedule(frames_);  // others have their turn first
}

void Engine::forget_old_time_waits() {
  if (tcp_tw_pcbs == last_time_wait_) return;  // none is new: new ones come first
  std::size_t count = 0;
  for (tcp_pcb* pcb = tcp_tw_pcbs; pcb != nullptr;) {
    tcp_pcb* next = pcb->next;
    if (++count > time_wait_max) tcp_abort(pcb);
    pcb = next;
  }
  last_time_wait_ = tcp_tw_pcbs;
}

void Engine::take(const FrameIn& in) {
  const base::Bytes frame = in.bytes;
  if (frame.size() < ethernet_header_bytes || frame.size() > 0xffffU) return;
  const bool is_to_many = (std::to_integer<unsigned>(frame[0]) & 1U) != 0;
  if (!is_to_many && std::memcmp(frame.data(), mac_.data(), mac_.size()) != 0) return;
  const std::uint16_t type = word_at(frame, ethertype_at);
  if (type != type_ipv4 && type != type_arp && (type != type_ipv6 || !interface.uses_ipv6())) {
    return;
  }
  const Memory::Urgent urgent;
  clockwork.enter(!is_plain_tcp(frame));
  if (is_fragment(frame)) clockwork.wait_for_fragments();
  if (type == type_arp) interface.see_arp(frame);
  const std::size_t size = std::max(frame.size(), frame_bytes_min);
  pbuf* copy = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(size), PBUF_RAM);
  if (copy == nullptr) return;
  std::memcpy(copy->payload, frame.data(), frame.size());
  std::memset(static_cast<std::byte*>(copy->payload) + frame.size(), 0, size - frame.size());
  netif& lwip = interface.lwip_netif();
  const u16_t sums = lwip.chksum_flags;
  if (in.checksum_is_good) {
    constexpr unsigned checked = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
    NETIF_SET_CHECKSUM_CTRL(&lwip, static_cast<u16_t>(sums & ~checked));
  }
  if (lwip.input(copy, &lwip) != ERR_OK) pbuf_free(copy);
  NETIF_SET_CHECKSUM_CTRL(&lwip, sums);
}

err_t Engine::send(const netif& from, pbuf* frame) {
  CHECK(&from == &interface.lwip_netif());
  const base::MutableBytes first{static_cast<std::byte*>(frame->payload), frame->len};
  if (is_plain_tcp(first)) {
    if (!paths.admits(first, frame->tot_len)) return ERR_BUF;
    forbid_fragments(first);
  }
  return send(frame);
}

bool Engine::adopt(tcp_pcb& pcb) {
  if (!connections.add(pcb) || !Sender::attach(pcb, loop, clockwork)) return false;
  half_open.add(&pcb);
  note_announced_segment(pcb, announced_segment);
  paths.fit(pcb);
  return true;
}

err_t Engine::send(pbuf* frame) {
  if (frame->tot_len > frame_bytes_max_) return ERR_BUF;
  if (pbuf_clen(frame) > Burst::pieces_max) {
    pbuf* copy = pbuf_clone(PBUF_RAW, PBUF_RAM, frame);
    if (copy == nullptr) return ERR_MEM;
    const err_t answer = send(copy);
    pbuf_free(copy);
    return answer;
  }
  if (offload_.segmentation_bytes > 0 && hold(*frame)) {
    if (burst_->is_over()) static_cast<void>(send_burst());  // or when there is room
    return ERR_OK;
  }
  // Frames keep their order.
  return send_burst() && put(*frame) ? ERR_OK : ERR_MEM;
}

// Keeps a segment for the next of its kind to come. False: it is to be sent.
bool Engine::hold(pbuf& frame) {
  const base::Bytes first{static_cast<const std::byte*>(frame.payload), frame.len};
  const std::optional<Segment> segment = read_segment(first, frame.tot_len);
  if (!segment) return false;
  if (burst_ != nullptr && !burst_->is_empty() && burst_->take(frame, *segment)) return true;
  // A burst that begins with its end is a frame like others.
  if (segment->ends_burst || !send_burst()) return false;
  if (burst_ == nullptr) burst_.reset(new (std::nothrow) Burst(offload_.segmentation_bytes));
  if (burst_ == nullptr || !burst_->take(frame, *segment)) return false;
  loop.schedule(burst_end_);
  return true;
}

// False: the device has no room; it stays held.
bool Engine::send_burst() {
  if (burst_ == nullptr || burst_->is_empty()) return true;
  if (burst_->count() == 1) {
    if (!put(*burst_->first())) return false;
    burst_->forget();
    return true;
  }
  // The device may call the release, which frees it, before it answers.
  Burst* burst = burst_.release();
  if (device_->send(burst->frame(), Release{free_burst, burst})) return true;
  burst_.reset(burst);
  return false;
}

// One frame as it is. False: the device has no room.
bool Engine::put(pbuf& frame) {
  std::array<base::Bytes, Burst::pieces_max> pieces;
  std::size_t count = 0;
  for (const pbuf* each = &frame; each != nullptr; each = each->next) {
    if (each->len > 0) pieces[count++] = {static_cast<const std::byte*>(each->payload), each->len};
  }
  FrameOut out{.pieces = {pieces.data(), count}};
  if (offload_.send) {
    out.checksum =
        ask_for_checksum({static_cast<std::byte*>(frame.payload), frame.len}, frame.tot_len);
  }
  pbuf_ref(&frame);
  if (device_->send(out, Release{free_sent, &frame})) return true;
  pbuf_free(&frame);
  return false;
}

void Engine::send_again() {
  if (!send_burst()) return;
  clockwork.enter();
  tcp_txnow();
}

// ---- Chance and time

std::uint32_t Engine::random() {
  if (random_left_ == 0) {
    entropy_.fill(std::as_writable_bytes(std::span(random_)));
    random_left_ = random_.size();
  }
  return random_[--random_left_];
}

std::uint32_t Engine::now_ms() const {
  using std::chrono::milliseconds;
  const auto since = loop.now().time_since_epoch();
  return static_cast<std::uint32_t>(std::chrono::duration_cast<milliseconds>(since).count());
}

std::uint32_t Engine::sequence(base::Bytes connection) const {
  // RFC 6528: a clock of 4 microseconds, moved by what only we know of the connection.
  const auto ticks = loop.now().time_since_epoch() / std::chrono::microseconds(4);
  return static_cast<std::uint32_t>(siphash(sequence_key_, connection) +
                                    static_cast<std::uint64_t>(ticks));
}

}  // namespace net::lwip
