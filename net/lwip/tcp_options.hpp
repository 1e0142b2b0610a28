// SPDX-License-Identifier: ISC
// net/lwip/tcp_options.hpp: the options of a TCP segment, as bytes.
//
// Source: RFC 9293 section 3.1, RFC 2018, RFC 7323.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace net::lwip {

struct TcpOption {
  static constexpr unsigned segment_size = 2;
  static constexpr unsigned selective = 5;

  unsigned kind = 0;
  std::size_t at = 0;     // where it begins among the options
  std::size_t bytes = 0;  // kind and length included
};

// The option that begins at or after `at`, padding skipped. Nothing: there is none, or from here on
// they make no sense.
[[nodiscard]] std::optional<TcpOption> next_option(base::Bytes options, std::size_t at) noexcept;

// What the maximum segment size option announces. Nothing: it is not there, or says 0.
[[nodiscard]] std::optional<std::uint16_t> announced_segment(base::Bytes options) noexcept;
// Overwrites that option, wherever it stands, by padding.
void erase_announced_segment(base::MutableBytes options) noexcept;
// Overwrites all of them.
void erase_options(base::MutableBytes options) noexcept;

}  // namespace net::lwip
