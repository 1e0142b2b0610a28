// SPDX-License-Identifier: ISC
// crypto/nist_curves.cpp: nettle multiplies, GMP inverts, both by their functions of constant time.
#include "crypto/nist_curves.hpp"

#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>

#include "base/check.hpp"
#include "crypto/gmp.hpp"
#include "crypto/secret.hpp"

namespace crypto {

template <>
const P256::Bytes P256::order{0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                              0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                              0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
template <>
const P384::Bytes P384::order{
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};

namespace {

template <std::size_t size_bytes>
using Limbs = std::array<mp_limb_t, size_bytes / limb_bytes>;

template <std::size_t size_bytes>
const ecc_curve* curve() {
  return size_bytes == 32 ? nettle_get_secp_256r1() : nettle_get_secp_384r1();
}

template <std::size_t size_bytes>
class Scalar {
 public:
  explicit Scalar(const std::array<std::uint8_t, size_bytes>& bytes) {
    ecc_scalar_init(&scalar_, curve<size_bytes>());
    Wiped<Limbs<size_bytes>> limbs;
    to_limbs(bytes, limbs.value.data());
    mpz_t view;
    const int is_valid =
        ecc_scalar_set(&scalar_, mpz_roinit_n(view, limbs.value.data(), limbs.value.size()));
    CHECK(is_valid == 1);
  }
  ~Scalar() { ecc_scalar_clear(&scalar_); }
  Scalar(const Scalar&) = delete;
  Scalar& operator=(const Scalar&) = delete;
  [[nodiscard]] const ecc_scalar* get() const { return &scalar_; }

 private:
  ecc_scalar scalar_{};
};

template <std::size_t size_bytes>
class CurvePoint {
 public:
  using Point = typename NistCurve<size_bytes>::Point;

  CurvePoint() { ecc_point_init(&point_, curve<size_bytes>()); }
  explicit CurvePoint(const Point& point) : CurvePoint() {
    Limbs<size_bytes> x;
    Limbs<size_bytes> y;
    to_limbs(point.x, x.data());
    to_limbs(point.y, y.data());
    mpz_t view_of_x;
    mpz_t view_of_y;
    CHECK(ecc_point_set(&point_, mpz_roinit_n(view_of_x, x.data(), x.size()),
                        mpz_roinit_n(view_of_y, y.data(), y.size())) == 1);
  }
  ~CurvePoint() { ecc_point_clear(&point_); }
  CurvePoint(const CurvePoint&) = delete;
  CurvePoint& operator=(const CurvePoint&) = delete;
  [[nodiscard]] ecc_point* get() { return &point_; }

  [[nodiscard]] Point affine() const {
    mpz_t x;
    mpz_t y;
    mpz_init(x);
    mpz_init(y);
    ecc_point_get(&point_, x, y);
    Point point;
    number(x, point.x);
    number(y, point.y);
    mpz_clear(x);
    mpz_clear(y);
    return point;
  }

 private:
  static void number(const mpz_t value, std::array<std::uint8_t, size_bytes>& bytes) {
    Wiped<Limbs<size_bytes>> limbs;  // a product is the secret of a key agreement
    for (std::size_t i = 0; i < limbs.value.size(); ++i) {
      limbs.value[i] = mpz_getlimbn(value, static_cast<mp_size_t>(i));
    }
    to_bytes(limbs.value.data(), bytes);
  }

  ecc_point point_{};
};

}  // namespace

template <std::size_t size_bytes>
auto NistCurve<size_bytes>::multiply_base(const Bytes& scalar) -> Point {
  const Arena arena;
  const Scalar<size_bytes> k(scalar);
  CurvePoint<size_bytes> product;
  ecc_point_mul_g(product.get(), k.get());
  return product.affine();
}

template <std::size_t size_bytes>
auto NistCurve<size_bytes>::multiply(const Bytes& scalar, const Point& point) -> Point {
  const Arena arena;
  const Scalar<size_bytes> k(scalar);
  CurvePoint<size_bytes> at(point);
  ecc_point_mul(at.get(), k.get(), at.get());
  return at.affine();
}

template <std::size_t size_bytes>
auto NistCurve<size_bytes>::invert_modulo_order(const Bytes& value) -> Bytes {
  constexpr mp_size_t count = size_bytes / limb_bytes;
  Wiped<Limbs<size_bytes>> of;
  Wiped<Limbs<size_bytes>> inverse;
  Wiped<std::array<mp_limb_t, 8 * count>> scratch;
  Limbs<size_bytes> modulus;
  to_limbs(value, of.value.data());
  to_limbs(order, modulus.data());
  CHECK(mpn_sec_invert_itch(count) <= static_cast<mp_size_t>(scratch.value.size()));
  CHECK(mpn_sec_invert(inverse.value.data(), of.value.data(), modulus.data(), count,
                       mp_bitcnt_t{2} * 8 * size_bytes, scratch.value.data()) == 1);
  Bytes bytes;
  to_bytes(inverse.value.data(), bytes);
  return bytes;
}

template class NistCurve<32>;
template class NistCurve<48>;

}  // namespace crypto
