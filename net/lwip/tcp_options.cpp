// SPDX-License-Identifier: ISC
#include "net/lwip/tcp_options.hpp"

#include <algorithm>

#include "net/lwip/frame.hpp"

namespace net::lwip {

namespace {

constexpr std::byte end{0};
constexpr std::byte padding{1};
constexpr std::size_t segment_size_bytes = 4;

}  // namespace

std::optional<TcpOption> next_option(base::Bytes options, std::size_t at) noexcept {
  while (at < options.size() && options[at] == padding) ++at;
  if (at + 1 >= options.size() || options[at] == end) return {};
  const auto bytes = std::to_integer<std::size_t>(options[at + 1]);
  if (bytes < 2 || bytes > options.size() - at) return {};
  return TcpOption{std::to_integer<unsigned>(options[at]), at, bytes};
}

std::optional<std::uint16_t> announced_segment(base::Bytes options) noexcept {
  std::optional<std::uint16_t> announced;
  for (auto each = next_option(options, 0); each;
       each = next_option(options, each->at + each->bytes)) {
    if (each->kind != TcpOption::segment_size || each->bytes != segment_size_bytes) continue;
    const std::uint16_t size = word_at(options, each->at + 2);
    if (size > 0) announced = size;
  }
  return announced;
}

void erase_announced_segment(base::MutableBytes options) noexcept {
  for (auto each = next_option(options, 0); each;
       each = next_option(options, each->at + each->bytes)) {
    if (each->kind == TcpOption::segment_size) {
      erase_options(options.subspan(each->at, each->bytes));
    }
  }
}

void erase_options(base::MutableBytes options) noexcept { std::ranges::fill(options, padding); }

}  // namespace net::lwip
