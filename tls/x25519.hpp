// SPDX-License-Identifier: ISC
// tls/x25519.hpp: multiplication on Curve25519.
//
// Source:  RFC 7748.   Time: the same for every scalar and every point.
// Used by: tls/curve_hook.cpp.   May include: std.

#pragma once

#include <array>
#include <cstdint>

namespace tls {

// Little-endian.
using X25519Bytes = std::array<std::uint8_t, 32>;

// The u coordinate of `scalar` times the point whose u coordinate is `u`. Bit 255 of both is
// ignored; the rest of the scalar counts as it is: whoever makes a key clamps it.
[[nodiscard]] X25519Bytes x25519(const X25519Bytes& scalar, const X25519Bytes& u) noexcept;

}  // namespace tls
