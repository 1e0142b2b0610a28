// SPDX-License-Identifier: ISC
#include "net/lwip/engine.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <lwip/init.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

namespace net::lwip {

namespace {

Engine* the_engine = nullptr;

constexpr std::size_t ethertype_at = 12;
constexpr std::uint16_t type_ipv4 = 0x0800;
constexpr std::uint16_t type_arp = 0x0806;
constexpr std::uint16_t type_ipv6 = 0x86dd;
constexpr std::byte protocol_tcp{6};
// As a wire pads them (IEEE 802.3); lwIP reads headers of that much without looking.
constexpr std::size_t frame_bytes_min = 60;

std::uint16_t word_at(base::Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8U |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

// A frame that is only more of TCP: it changes no table but TCP's.
bool is_plain_tcp(base::Bytes frame) {
  if (frame.size() < 54) return false;
  const std::uint16_t type = word_at(frame, ethertype_at);
  if (type == type_ipv6) return frame[20] == protocol_tcp;
  // No fragment: neither an offset nor "more".
  return type == type_ipv4 && frame[23] == protocol_tcp && (word_at(frame, 20) & 0x3fffU) == 0;
}

bool is_fragment(base::Bytes frame) {
  if (frame.size() < 55) return false;
  const std::uint16_t type = word_at(frame, ethertype_at);
  if (type == type_ipv4) return (word_at(frame, 20) & 0x3fffU) != 0;
  constexpr std::byte fragment_header{44};
  constexpr std::byte hop_by_hop{0};  // which a fragment header may follow
  return type == type_ipv6 && (frame[20] == fragment_header ||
                               (frame[20] == hop_by_hop && frame[54] == fragment_header));
}

// Where in a TCP frame the checksum is to be, for a device that sums; the field is given the sum of
// the pseudo header. Nothing: not TCP.
std::optional<ChecksumRequest> ask_for_checksum(pbuf& first, std::size_t total_bytes) {
  auto* bytes = static_cast<std::byte*>(first.payload);
  const base::Bytes frame{bytes, first.len};
  if (!is_plain_tcp(frame)) return {};
  const bool is_v4 = word_at(frame, ethertype_at) == type_ipv4;
  const std::size_t from =
      ethernet_header_bytes +
      (is_v4 ? (std::to_integer<std::size_t>(frame[14]) & 0xfU) * 4 : std::size_t{40});
  constexpr std::size_t field = 16;
  if (frame.size() < from + field + 2) return {};
  const base::Bytes addresses = is_v4 ? frame.subspan(26, 8) : frame.subspan(22, 32);
  std::uint32_t sum = checksum(addresses);
  sum += lwip_htons(IP_PROTO_TCP);
  sum += lwip_htons(static_cast<std::uint16_t>(total_bytes - from));
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  const auto folded = static_cast<std::uint16_t>(sum);
  std::memcpy(bytes + from + field, &folded, sizeof folded);
  return ChecksumRequest{static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(field)};
}

void free_sent(void* frame) noexcept { pbuf_free(static_cast<pbuf*>(frame)); }

void forget_old_time_waits() {
  static const tcp_pcb* seen = nullptr;
  if (tcp_tw_pcbs == seen) return;  // none is new: new ones come first
  std::size_t count = 0;
  for (tcp_pcb* pcb = tcp_tw_pcbs; pcb != nullptr;) {
    tcp_pcb* next = pcb->next;
    if (++count > Engine::time_wait_max) tcp_abort(pcb);
    pcb = next;
  }
  seen = tcp_tw_pcbs;
}

// What a stack leaves behind in lwIP, so that the next one starts as the first did.
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

Engine& Engine::only() {
  CHECK(the_engine != nullptr);
  return *the_engine;
}

Engine::Engine(base::Loop& its_loop, base::Entropy& entropy, base::Log& log,
               std::unique_ptr<AnyDevice> device, const Options& options)
    : loop(its_loop),
      clockwork(its_loop),
      pool(its_loop, clockwork, options.connections_max),
      interface(its_loop, log, options),
      entropy_(entropy),
      device_(std::move(device)),
      mac_(device_->mac()),
      frame_bytes_max_(device_->mtu_bytes() + ethernet_header_bytes),
      offload_send_(device_->offload().send) {
  CHECK(the_engine == nullptr);
  the_engine = this;
  entropy_.fill(std::as_writable_bytes(std::span(sequence_key_)));
  static bool initialised = false;
  if (!std::exchange(initialised, true)) lwip_init();
  tcp_init();  // another first port
  clockwork.enter(true);
  interface.start(mac_, device_->mtu_bytes(), device_->offload());
  clockwork.after_tick = &interface;
  device_->listen(&frames_, &space_);
  loop.schedule(frames_);
}

Engine::~Engine() {
  end_all_connections();
  interface.stop();
  device_->listen(nullptr, nullptr);
  the_engine = nullptr;
}

// ---- Frames

void Engine::receive() {
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

void Engine::take(const FrameIn& in) {
  const base::Bytes frame = in.bytes;
  if (frame.size() < ethernet_header_bytes || frame.size() > 0xffffU) return;
  const bool is_to_many = (std::to_integer<unsigned>(frame[0]) & 1U) != 0;
  if (!is_to_many && std::memcmp(frame.data(), mac_.data(), mac_.size()) != 0) return;
  const std::uint16_t type = word_at(frame, ethertype_at);
  if (type != type_ipv4 && type != type_arp && (type != type_ipv6 || !interface.uses_ipv6())) {
    return;
  }
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

err_t Engine::send(pbuf* frame) {
  std::array<base::Bytes, 64> pieces;
  if (frame->tot_len > frame_bytes_max_) return ERR_BUF;
  if (pbuf_clen(frame) > pieces.size()) {
    pbuf* copy = pbuf_clone(PBUF_RAW, PBUF_RAM, frame);
    if (copy == nullptr) return ERR_MEM;
    const err_t answer = send(copy);
    pbuf_free(copy);
    return answer;
  }
  std::size_t count = 0;
  for (const pbuf* each = frame; each != nullptr; each = each->next) {
    if (each->len > 0) pieces[count++] = {static_cast<const std::byte*>(each->payload), each->len};
  }
  FrameOut out{{pieces.data(), count}, {}};
  if (offload_send_) out.checksum = ask_for_checksum(*frame, frame->tot_len);
  pbuf_ref(frame);
  if (device_->send(out, Release{free_sent, frame})) return ERR_OK;
  pbuf_free(frame);
  return ERR_MEM;
}

void Engine::send_again() {
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
