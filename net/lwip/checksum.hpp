// SPDX-License-Identifier: ISC
// net/lwip/checksum.hpp: the Internet checksum's sum (RFC 1071), and a keyed hash for sequence
// numbers.

#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace net::lwip {

// The one's complement sum of the 16-bit words of `bytes` as they stand in memory, folded, not
// inverted; an odd last byte is followed by a zero.
[[nodiscard]] std::uint16_t checksum(base::Bytes bytes) noexcept;

// SipHash-2-4 (Aumasson and Bernstein, 2012): without the key it cannot be told from chance.
using HashKey = std::array<std::uint64_t, 2>;
[[nodiscard]] std::uint64_t siphash(const HashKey& key, base::Bytes bytes) noexcept;

}  // namespace net::lwip
