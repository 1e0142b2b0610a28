// SPDX-License-Identifier: ISC
#include "net/lwip/neighbours.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "net/lwip/frame.hpp"

namespace net::lwip {

namespace {

constexpr std::size_t target_at = 8;
constexpr std::size_t solicited_flag_at = 4;
constexpr unsigned solicited_flag = 0x40;
constexpr std::size_t address_bytes = 16;
constexpr std::size_t link_layer_bytes = 8;  // Ethernet's
constexpr unsigned source_link_layer = 1;
constexpr unsigned target_link_layer = 2;
constexpr unsigned prefix_information = 3;

unsigned byte_at(base::Bytes bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

// Where options begin; 0: another message.
std::size_t options_of(unsigned type) {
  switch (type) {
    case router_advertisement:
      return 16;
    case neighbour_solicitation:
    case neighbour_advertisement:
      return 24;
    case redirect_message:
      return 40;
    default:
      return 0;
  }
}

struct Option {
  unsigned kind = 0;
  std::size_t at = 0;
  std::size_t bytes = 0;
};

// The option at `at`. Nothing: it is the end, or does not fit, or has no length.
std::optional<Option> option_at(base::Bytes message, std::size_t at) {
  if (at + 2 > message.size()) return {};
  const std::size_t bytes = std::size_t{byte_at(message, at + 1)} * 8;
  if (bytes == 0 || bytes > message.size() - at) return {};
  return Option{byte_at(message, at), at, bytes};
}

std::optional<Option> find(base::Bytes message, unsigned kind) {
  std::size_t at = options_of(byte_at(message, 0));
  for (auto each = option_at(message, at); each; each = option_at(message, at)) {
    if (each->kind == kind) return each;
    at += each->bytes;
  }
  return {};
}

bool are_options_valid(base::Bytes message) {
  std::size_t at = options_of(byte_at(message, 0));
  for (auto each = option_at(message, at); each; each = option_at(message, at)) at += each->bytes;
  return at == message.size();
}

bool is_multicast_at(base::Bytes message, std::size_t at) { return byte_at(message, at) == 0xff; }

bool is_link_local_at(base::Bytes message, std::size_t at) {
  return byte_at(message, at) == 0xfe && (byte_at(message, at + 1) & 0xc0U) == 0x80;
}

bool is_redirect_valid(base::Bytes message) {
  const base::Bytes target = message.subspan(target_at, address_bytes);
  const base::Bytes destination = message.subspan(target_at + address_bytes, address_bytes);
  if (is_multicast_at(destination, 0)) return false;
  return is_link_local_at(target, 0) || std::ranges::equal(target, destination);
}

}  // namespace

bool is_valid(const NeighbourMessage& message) noexcept {
  using From = NeighbourMessage::From;
  using To = NeighbourMessage::To;
  const base::Bytes bytes = message.bytes;
  if (bytes.size() < 8 || message.is_fragmented) return false;
  const unsigned type = byte_at(bytes, 0);
  const std::size_t options = options_of(type);
  if (options == 0 || bytes.size() < options || byte_at(bytes, 1) != 0) return false;
  if (message.hop_limit != 255 || !are_options_valid(bytes)) return false;
  switch (type) {
    case router_advertisement:
      return message.from == From::link_local;
    case neighbour_solicitation:
      if (is_multicast_at(bytes, target_at)) return false;
      return message.from != From::nobody ||
             (message.to == To::solicited_node && !find(bytes, source_link_layer));
    case neighbour_advertisement:
      if (is_multicast_at(bytes, target_at) || message.from == From::nobody) return false;
      return message.to == To::one || (byte_at(bytes, solicited_flag_at) & solicited_flag) == 0;
    default:
      return message.from == From::link_local && is_redirect_valid(bytes);
  }
}

std::size_t put_link_layer_first(base::MutableBytes message) noexcept {
  const unsigned type = byte_at(message, 0);
  const std::size_t options = options_of(type);
  const bool is_question = type == neighbour_solicitation;
  const auto found = find(message, is_question ? source_link_layer : target_link_layer);
  if (!found || found->bytes != link_layer_bytes) return options;
  std::memmove(&message[options], &message[found->at], link_layer_bytes);
  return options + link_layer_bytes;
}

bool says_mtu(base::Bytes message) noexcept {
  constexpr unsigned mtu = 5;
  return find(message, mtu).has_value();
}

void hide_impossible_prefixes(base::MutableBytes message) noexcept {
  constexpr std::size_t prefix_option_bytes = 32;
  constexpr std::size_t prefix_at = 16;
  constexpr std::byte unassigned{0};  // RFC 4861: of what is not known nothing is taken
  constexpr std::array<std::byte, 8> zeros{};
  std::size_t at = options_of(router_advertisement);
  for (auto each = option_at(message, at); each; each = option_at(message, at)) {
    at += each->bytes;
    if (each->kind != prefix_information) continue;
    const bool has_prefix = each->bytes == prefix_option_bytes;
    if (has_prefix && !is_multicast_at(message, each->at + prefix_at) &&
        std::memcmp(&message[each->at + prefix_at], zeros.data(), zeros.size()) != 0) {
      continue;
    }
    message[each->at] = unassigned;
  }
}

AdvertisedServers::AdvertisedServers(base::Bytes advertisement) noexcept {
  constexpr unsigned recursive_dns_servers = 25;
  std::size_t at = options_of(router_advertisement);
  for (auto each = option_at(advertisement, at); each; each = option_at(advertisement, at)) {
    if (each->kind == recursive_dns_servers) read(advertisement.subspan(each->at, each->bytes));
    at += each->bytes;
  }
}

void AdvertisedServers::read(base::Bytes option) noexcept {
  constexpr std::size_t lifetime_at = 4;
  constexpr std::size_t servers_at = 8;
  if (option.size() < servers_at + address_bytes) return;
  const std::uint32_t lifetime_s = long_at(option, lifetime_at);
  for (std::size_t at = servers_at; at + address_bytes <= option.size(); at += address_bytes) {
    Server server{{{}, NameServers::dns_port}, lifetime_s};
    std::memcpy(server.endpoint.address.data(), &option[at], address_bytes);
    if (count_ < servers_.size() && can_be_name_server(server.endpoint)) {
      servers_.at(count_++) = server;
    }
  }
}

}  // namespace net::lwip
