// SPDX-License-Identifier: ISC
#include "net/lwip/paths.hpp"

#include <array>
#include <cstring>

#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>

#include "net/lwip/frame.hpp"
#include "net/lwip/ip.hpp"
#include "net/lwip/segments.hpp"

namespace net::lwip {

namespace {

constexpr std::size_t ipv4_header_bytes_min = 20;
constexpr std::size_t ipv6_header_bytes = 40;
constexpr std::size_t quoted_tcp_bytes = 8;  // ports and sequence number
constexpr std::byte protocol_tcp{6};
constexpr std::size_t icmp_header_bytes = 8;
// The longest IPv4 header and what routers must quote after it (RFC 792).
constexpr std::size_t quote_bytes_max = 60 + quoted_tcp_bytes;

struct Quote {
  PathMtu::Address from{};
  PathMtu::Address to{};
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  std::uint32_t sequence = 0;
};

PathMtu::Address address_at(base::Bytes bytes, std::size_t at, bool is_ipv6) {
  PathMtu::Address address = ipv4(0, 0, 0, 0, 0).address;
  if (is_ipv6) {
    std::memcpy(address.data(), &bytes[at], 16);
  } else {
    std::memcpy(address.data() + 12, &bytes[at], 4);
  }
  return address;
}

// The first bytes of a TCP packet: IP's header, without options of IPv6, which we never send.
std::optional<Quote> read_quote(base::Bytes packet) {
  if (packet.size() < ipv4_header_bytes_min + quoted_tcp_bytes) return {};
  const auto first = std::to_integer<unsigned>(packet[0]);
  const bool is_ipv6 = first >> 4U == 6;
  if (!is_ipv6 && first >> 4U != 4) return {};
  const std::size_t header = is_ipv6 ? ipv6_header_bytes : std::size_t{first & 0xfU} * 4;
  if (header < ipv4_header_bytes_min || packet.size() < header + quoted_tcp_bytes) return {};
  if (packet[is_ipv6 ? 6 : 9] != protocol_tcp) return {};
  if (!is_ipv6 && (word_at(packet, 6) & 0x3fffU) != 0) return {};  // a fragment
  return Quote{address_at(packet, is_ipv6 ? 8 : 12, is_ipv6),
               address_at(packet, is_ipv6 ? 24 : 16, is_ipv6), word_at(packet, header),
               word_at(packet, header + 2), long_at(packet, header + 4)};
}

bool is_under_way(const Quote& quote, const tcp_pcb& pcb) {
  return TCP_SEQ_GEQ(quote.sequence, pcb.lastack) && TCP_SEQ_LT(quote.sequence, pcb.snd_nxt);
}

}  // namespace

ip_addr_t Paths::address_here(const PathMtu::Address& address) const noexcept {
  ip_addr_t here = to_lwip({address, 0});
  if (IP_IS_V6_VAL(here)) {
    ip6_addr_assign_zone(ip_2_ip6(&here), IP6_UNICAST, &interface_);
  }
  return here;
}

std::size_t Paths::interface_bytes(bool is_ipv6) const noexcept {
  return is_ipv6 ? netif_mtu6(&interface_) : interface_.mtu;
}

void Paths::fit(tcp_pcb& pcb) noexcept {
  const std::size_t most = interface_bytes(IP_IS_V6_VAL(pcb.remote_ip));
  fit_segments(pcb, known_.bytes_to(from_lwip(pcb.remote_ip, 0).address, most));
}

bool Paths::admits(base::Bytes first, std::size_t frame_bytes) noexcept {
  const bool is_ipv6 = word_at(first, ethertype_at) == type_ipv6;
  std::size_t most = interface_bytes(is_ipv6);
  if (!known_.is_empty()) {
    most = known_.bytes_to(address_at(first, is_ipv6 ? 38 : 30, is_ipv6), most);
  }
  if (frame_bytes - ethernet_header_bytes <= most) return true;
  hold_back();
  return false;
}

void Paths::hear_too_big(const pbuf& message, bool is_ipv6) noexcept {
  std::array<std::byte, icmp_header_bytes + quote_bytes_max> copy{};
  const std::size_t size = pbuf_copy_partial(&message, copy.data(), copy.size(), 0);
  if (size < icmp_header_bytes) return;
  const std::size_t bytes = is_ipv6 ? long_at(copy, 4) : word_at(copy, 6);
  const auto quote = read_quote(base::Bytes(copy).first(size).subspan(icmp_header_bytes));
  if (!quote) return;
  const tcp_pcb* pcb = connections_.find(
      {address_here(quote->from), address_here(quote->to), quote->from_port, quote->to_port});
  if (pcb == nullptr || !is_under_way(*quote, *pcb)) return;
  const std::size_t most = interface_bytes(IP_IS_V6_VAL(pcb->remote_ip));
  if (!known_.learn(quote->to, bytes, most, loop_.now())) return;
  for (tcp_pcb* each = tcp_active_pcbs; each != nullptr; each = each->next) {
    if (from_lwip(each->remote_ip, 0).address == quote->to) fit(*each);
  }
}

void Paths::run() {
  globals_.enter();
  for (tcp_pcb* each = tcp_active_pcbs; each != nullptr; each = each->next) fit(*each);
}

}  // namespace net::lwip
