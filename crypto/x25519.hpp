// SPDX-License-Identifier: ISC
// crypto/x25519.hpp: multiplication on Curve25519.
//
// Source:  RFC 7748.   Time: the same for every scalar and every point.
// Used by: tls/curve_hook.cpp.   May include: std.

#pragma once

#include <array>
#include <cstdint>

namespace crypto {

// Little-endian.
using X25519Bytes = std::array<std::uint8_t, 32>;

// The u coordinate of `scalar`, clamped, times the point whose u coordinate is `u`; bit 255 of `u`
// is ignored. All zero where `u` is of small order: RFC 8446 section 7.4.2 has that refused.
[[nodiscard]] X25519Bytes x25519(const X25519Bytes& scalar, const X25519Bytes& u) noexcept;

}  // namespace crypto
