// SPDX-License-Identifier: ISC
#include "net/lwip/path_mtu.hpp"

#include <algorithm>

namespace net::lwip {

namespace {

bool is_ipv4(const PathMtu::Address& address) {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(mapped.begin(), mapped.end(), address.begin());
}

}  // namespace

bool PathMtu::learn(const Address& host, std::size_t bytes, std::size_t interface_bytes,
                    base::Instant now) noexcept {
  if (is_ipv4(host)) {
    bytes = std::max(bytes, ipv4_bytes_min);
  } else if (bytes < ipv6_bytes_min) {
    return false;
  }
  if (bytes >= bytes_to(host, interface_bytes)) return false;
  if (const std::size_t known = find(host); known < count_) {
    forget(known);
  } else if (count_ == paths_max) {
    forget(0);
  }
  paths_[count_++] = {host, bytes, now + kept};
  return true;
}

std::size_t PathMtu::bytes_to(const Address& host, std::size_t interface_bytes) const noexcept {
  const std::size_t known = find(host);
  return known < count_ ? std::min(paths_[known].bytes, interface_bytes) : interface_bytes;
}

bool PathMtu::expire(base::Instant now) noexcept {
  const std::size_t before = count_;
  while (count_ > 0 && paths_[0].until <= now) forget(0);
  return count_ < before;
}

std::size_t PathMtu::find(const Address& host) const noexcept {
  std::size_t index = 0;
  while (index < count_ && paths_[index].host != host) ++index;
  return index;
}

void PathMtu::forget(std::size_t index) noexcept {
  std::copy(paths_.begin() + static_cast<std::ptrdiff_t>(index) + 1,
            paths_.begin() + static_cast<std::ptrdiff_t>(count_),
            paths_.begin() + static_cast<std::ptrdiff_t>(index));
  --count_;
}

}  // namespace net::lwip
