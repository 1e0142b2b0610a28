// SPDX-License-Identifier: ISC
// crypto/nist_curves.hpp: NIST's P-256 and P-384: multiples of points, inverses modulo the order.
//
// Source:  FIPS 186-4 D.1.2.   Time: the same for every scalar and every point.
// Errors:  arguments outside the ranges below are bugs: panic.   Memory: 22 KiB of stack, no heap.
// Used by: tls/curve_hook.cpp, which makes key agreement and signatures of it.
// May include: base.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace crypto {

template <std::size_t size_bytes>
class NistCurve {
 public:
  // Big-endian.
  using Bytes = std::array<std::uint8_t, size_bytes>;
  struct Point {
    Bytes x;
    Bytes y;
  };

  static const Bytes order;

  // scalar * G. The scalar is from 1 to order - 1.
  [[nodiscard]] static Point multiply_base(const Bytes& scalar);
  // scalar * point, which is on the curve.
  [[nodiscard]] static Point multiply(const Bytes& scalar, const Point& point);
  // The inverse of `value`, which is from 1 to order - 1, modulo the order.
  [[nodiscard]] static Bytes invert_modulo_order(const Bytes& value);
};

using P256 = NistCurve<32>;
using P384 = NistCurve<48>;
template <>
const P256::Bytes P256::order;
template <>
const P384::Bytes P384::order;
extern template class NistCurve<32>;
extern template class NistCurve<48>;

}  // namespace crypto
