// SPDX-License-Identifier: ISC
// crypto/p256.hpp: the arithmetic of NIST P-256: multiples of points, inverses modulo its order.
//
// Source:  FIPS 186-4 D.1.2.3.   Time: the same for every scalar and every point.
// Errors:  what is not as said below is a bug: panic.   Memory: 16 KiB of the stack, no heap.
// Used by: tls/curve_hook.cpp.   May include: base.

#pragma once

#include <array>
#include <cstdint>

namespace crypto::p256 {

// Big-endian.
using Bytes = std::array<std::uint8_t, 32>;
struct Point {
  Bytes x;
  Bytes y;
};

inline constexpr Bytes order_bytes{0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                   0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

// scalar * G. The scalar is from 1 to the order less 1.
[[nodiscard]] Point multiply_base(const Bytes& scalar);
// scalar * point, which is on the curve.
[[nodiscard]] Point multiply(const Bytes& scalar, const Point& point);
// The inverse of `value`, which is from 1 to the order less 1, modulo the order.
[[nodiscard]] Bytes invert_modulo_order(const Bytes& value);

}  // namespace crypto::p256
