// SPDX-License-Identifier: ISC
#include "net/lwip/leases.hpp"

#include <algorithm>

#include "net/lwip/frame.hpp"

namespace net::lwip {

namespace {

constexpr std::size_t your_address_at = 16;
constexpr std::size_t cookie_at = 236;
constexpr std::uint32_t cookie = 0x63825363;
constexpr std::size_t options_at = 240;

enum Option : unsigned {
  padding = 0,
  subnet_mask = 1,
  router = 3,
  name_servers = 6,
  lease_time = 51,
  overload = 52,
  message_type = 53,
  server_id = 54,
  end = 255,
};
enum Kind : unsigned { offer = 2, acknowledge = 5, refuse = 6 };

// The first of a kind; empty: it is not there.
base::Bytes option(base::Bytes message, unsigned wanted) {
  for (std::size_t at = options_at; at + 1 < message.size();) {
    const auto kind = std::to_integer<unsigned>(message[at]);
    if (kind == end) break;
    if (kind == padding) {
      ++at;
      continue;
    }
    const auto bytes = std::to_integer<std::size_t>(message[at + 1]);
    if (bytes > message.size() - at - 2) break;
    if (kind == wanted) return message.subspan(at + 2, bytes);
    at += 2 + bytes;
  }
  return {};
}

// That of one host: not of "this network", nor loopback, multicast, reserved or of all.
bool is_of_a_host(std::uint32_t address) {
  const std::uint32_t network = address >> 24U;
  return network != 0 && network != 127 && network < 224;
}

// A mask of ones and then zeros, in which the address is neither the first nor the last.
bool fits_mask(std::uint32_t address, std::uint32_t mask) {
  const std::uint32_t hosts = ~mask;
  if (mask == 0 || (hosts & (hosts + 1)) != 0) return false;
  if (hosts <= 1) return true;  // a link of two, or one (RFC 3021)
  return (address & hosts) != 0 && (address & hosts) != hosts;
}

bool is_address(base::Bytes value) { return value.size() >= 4 && is_of_a_host(long_at(value, 0)); }

}  // namespace

bool is_dhcp_good(base::Bytes message) noexcept {
  if (message.size() < options_at || long_at(message, cookie_at) != cookie) return false;
  const base::Bytes type = option(message, message_type);
  if (type.size() != 1) return false;
  const auto kind = std::to_integer<unsigned>(type[0]);
  if (kind == refuse) return true;
  if (kind != offer && kind != acknowledge) return false;
  const std::uint32_t address = long_at(message, your_address_at);
  if (!is_of_a_host(address)) return false;
  // More options may be in other fields, where only lwIP reads them.
  const bool has_more = !option(message, overload).empty();
  const base::Bytes mask = option(message, subnet_mask);
  if (!mask.empty() && (mask.size() != 4 || !fits_mask(address, long_at(mask, 0)))) return false;
  const base::Bytes gateway = option(message, router);
  if (!gateway.empty() && !is_address(gateway)) return false;
  if (option(message, name_servers).size() % 4 != 0) return false;
  const base::Bytes server = option(message, server_id);
  const base::Bytes lease = option(message, lease_time);
  if (has_more) return true;
  return is_address(server) && lease.size() == 4 && long_at(lease, 0) != 0;
}

std::uint32_t seconds_after_refusal(unsigned count) noexcept {
  constexpr std::uint32_t most = 300;
  return count > 8 ? most : std::min(std::uint32_t{1} << (count > 0 ? count - 1 : 0), most);
}

LeaseTimes lease_times(std::uint32_t lease, std::uint32_t renew, std::uint32_t rebind) noexcept {
  LeaseTimes times{std::max(lease, std::uint32_t{1}), renew, rebind};
  if (rebind == 0 || rebind >= times.lease) times.rebind = times.lease - times.lease / 8;
  if (renew == 0 || renew >= times.rebind) times.renew = times.lease / 2;
  times.rebind = std::max(times.rebind, std::uint32_t{1});
  times.renew = std::max(times.renew, std::uint32_t{1});
  return times;
}

}  // namespace net::lwip
