// SPDX-License-Identifier: ISC
#include "net/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "net/ip_version.hpp"

namespace net {

namespace {

// The finalizer of MurmurHash3, which is in the public domain.
std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ value >> 33) * 0xff51afd7ed558ccdU;
  value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53U;
  return value ^ value >> 33;
}

struct Run {
  int first = 0;
  int count = 0;
};

// RFC 5952 section 4.2: the longest run of zero groups, at least two, the first of equals.
Run longest_zero_run(const std::array<unsigned, 8>& groups) {
  Run best;
  for (int i = 0; i < 8;) {
    int j = i;
    while (j < 8 && groups[static_cast<std::size_t>(j)] == 0) ++j;
    if (j - i > best.count) best = {i, j - i};
    i = j + 1;
  }
  return best.count < 2 ? Run{} : best;
}

}  // namespace

std::string address_text(const Endpoint& endpoint) {
  const auto& a = endpoint.address;
  char text[48];
  if (is_ipv4(endpoint)) {
    std::snprintf(text, sizeof text, "%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
    return text;
  }
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = (unsigned{a[2 * i]} << 8) | a[2 * i + 1];
  Run zeros = longest_zero_run(groups);
  std::string out;
  for (int i = 0; i < 8; ++i) {
    if (zeros.count > 0 && i == zeros.first) {
      out += "::";
      i += zeros.count - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    std::snprintf(text, sizeof text, "%x", groups[static_cast<std::size_t>(i)]);
    out += text;
  }
  return out;
}

std::optional<Endpoint> address_of(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.empty() || text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::memcpy(buffer.data(), text.data(), text.size());
  Endpoint endpoint;
  if (inet_pton(AF_INET6, buffer.data(), endpoint.address.data()) == 1) return endpoint;
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, buffer.data(), four.data()) != 1) return std::nullopt;
  return ipv4(four[0], four[1], four[2], four[3], 0);
}

Endpoint client_of(const Endpoint& peer) noexcept {
  constexpr std::size_t network_bytes = 8;
  Endpoint client{peer.address, 0};
  if (!is_ipv4(peer)) std::fill(client.address.begin() + network_bytes, client.address.end(), 0);
  return client;
}

bool is_loopback(const Endpoint& peer) noexcept {
  if (is_ipv4(peer)) return peer.address[12] == 127;
  return std::ranges::count(peer.address, 0) == 15 && peer.address.back() == 1;
}

std::uint64_t hash_of(const Endpoint& endpoint, std::uint64_t seed) noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, endpoint.address.data(), sizeof halves);
  return mix(mix(mix(halves[0] ^ seed) ^ halves[1]) ^ endpoint.port);
}

}  // namespace net
