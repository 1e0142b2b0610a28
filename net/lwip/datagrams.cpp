// SPDX-License-Identifier: ISC
#include "net/lwip/datagrams.hpp"

namespace net::lwip {

namespace {

unsigned byte_at(base::Bytes bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

// Options in the form of both protocols: a kind, and but for padding a length. `counts_all`: the
// length is of kind and length too.
bool are_within(base::Bytes options, bool counts_all, auto&& is_refused) {
  for (std::size_t at = 0; at < options.size();) {
    const unsigned kind = byte_at(options, at);
    if (counts_all && kind == 0) return true;  // the end
    if (kind == (counts_all ? 1U : 0U)) {      // padding
      ++at;
      continue;
    }
    if (at + 2 > options.size() || is_refused(kind)) return false;
    const std::size_t bytes = byte_at(options, at + 1) + (counts_all ? 0U : 2U);
    if (bytes < 2 || bytes > options.size() - at) return false;
    at += bytes;
  }
  return true;
}

// What a first fragment must have of the header that it begins with (RFC 7112).
std::size_t header_bytes_min(unsigned following) {
  constexpr unsigned tcp = 6;
  return following == tcp ? 20 : 8;
}

}  // namespace

bool are_ipv4_options_good(base::Bytes packet) noexcept {
  constexpr std::size_t plain_header = 20;
  constexpr unsigned loose_source_route = 131;
  constexpr unsigned strict_source_route = 137;
  if (packet.empty()) return true;
  const std::size_t header = std::size_t{byte_at(packet, 0) & 0xfU} * 4;
  if (header <= plain_header || packet.size() < header) return true;
  return are_within(packet.subspan(plain_header, header - plain_header), true, [](unsigned kind) {
    return kind == loose_source_route || kind == strict_source_route;
  });
}

bool are_ipv6_options_good(base::Bytes packet) noexcept {
  constexpr std::size_t plain_header = 40;
  constexpr unsigned hop_by_hop = 0;
  constexpr unsigned routing = 43;
  constexpr unsigned destination = 60;
  if (packet.size() < plain_header) return true;
  unsigned kind = byte_at(packet, 6);
  for (std::size_t at = plain_header; at + 8 <= packet.size();) {
    if (kind != hop_by_hop && kind != routing && kind != destination) return true;
    const std::size_t bytes = 8 * (1 + std::size_t{byte_at(packet, at + 1)});
    if (bytes > packet.size() - at) return true;  // lwIP drops it
    const base::Bytes options = packet.subspan(at + 2, bytes - 2);
    if (kind != routing && !are_within(options, false, [](unsigned) { return false; })) {
      return false;
    }
    kind = byte_at(packet, at);
    at += bytes;
  }
  return true;
}

bool Fragments::admit(const Fragment& fragment, base::Instant now) noexcept {
  const bool is_first = fragment.begin == 0;
  bool is_spoiled = is_first && !fragment.is_last &&
                    fragment.end - fragment.begin < header_bytes_min(fragment.following);
  for (const Seen& each : seen_) {
    const Fragment& other = each.fragment;
    if (each.until <= now || other.id != fragment.id || other.ends != fragment.ends) continue;
    const bool is_same = other.begin == fragment.begin && other.end == fragment.end;
    const bool overlaps = other.begin < fragment.end && fragment.begin < other.end;
    is_spoiled = is_spoiled || each.is_spoiled || (overlaps && !is_same);
  }
  seen_[next_] = {fragment, now + kept, is_spoiled};
  next_ = (next_ + 1) % fragments_max;
  return !is_spoiled;
}

}  // namespace net::lwip
