// SPDX-License-Identifier: ISC
// tls/p256.cpp: nettle multiplies, GMP inverts, both by their functions of constant time.
#include "tls/p256.hpp"

#include <cstdlib>
#include <cstring>

#include <gmp.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>

#include "base/check.hpp"

namespace tls::p256 {

namespace {

static_assert(GMP_NUMB_BITS == 64);
constexpr mp_size_t limb_count = 4;
using Limbs = std::array<mp_limb_t, limb_count>;

Limbs limbs_of(const Bytes& bytes) {
  Limbs limbs{};
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    mp_limb_t& limb = limbs[(bytes.size() - 1 - at) / 8];
    limb = limb << 8U | bytes[at];
  }
  return limbs;
}

Bytes bytes_of(const Limbs& limbs) {
  Bytes bytes;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const std::size_t place = bytes.size() - 1 - at;
    bytes[at] = static_cast<std::uint8_t>(limbs[place / 8] >> (8 * (place % 8)));
  }
  return bytes;
}

void wipe(Limbs& limbs) { explicit_bzero(limbs.data(), sizeof limbs); }

// Numbers that GMP and nettle allocate may be secret.
void wipe_and_free(void* at, std::size_t size_bytes) {
  explicit_bzero(at, size_bytes);
  std::free(at);  // NOLINT: as GMP's own
}

const ecc_curve* curve() {
  static const bool wiping = [] {
    mp_set_memory_functions(nullptr, nullptr, wipe_and_free);
    return true;
  }();
  static_cast<void>(wiping);
  return nettle_get_secp_256r1();
}

class Scalar {
 public:
  explicit Scalar(const Bytes& bytes) {
    ecc_scalar_init(&scalar_, curve());
    Limbs limbs = limbs_of(bytes);
    mpz_t view;
    const int is_valid = ecc_scalar_set(&scalar_, mpz_roinit_n(view, limbs.data(), limb_count));
    wipe(limbs);
    CHECK(is_valid == 1);
  }
  ~Scalar() { ecc_scalar_clear(&scalar_); }
  Scalar(const Scalar&) = delete;
  Scalar& operator=(const Scalar&) = delete;
  [[nodiscard]] const ecc_scalar* get() const { return &scalar_; }

 private:
  ecc_scalar scalar_{};
};

class CurvePoint {
 public:
  CurvePoint() { ecc_point_init(&point_, curve()); }
  explicit CurvePoint(const Point& point) : CurvePoint() {
    Limbs x = limbs_of(point.x);
    Limbs y = limbs_of(point.y);
    mpz_t view_of_x;
    mpz_t view_of_y;
    CHECK(ecc_point_set(&point_, mpz_roinit_n(view_of_x, x.data(), limb_count),
                        mpz_roinit_n(view_of_y, y.data(), limb_count)) == 1);
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
    const Point point{number(x), number(y)};
    mpz_clear(x);
    mpz_clear(y);
    return point;
  }

 private:
  static Bytes number(const mpz_t value) {
    Limbs limbs;
    for (std::size_t i = 0; i < limbs.size(); ++i) {
      limbs[i] = mpz_getlimbn(value, static_cast<mp_size_t>(i));
    }
    const Bytes bytes = bytes_of(limbs);
    wipe(limbs);  // a product is the secret of a key agreement
    return bytes;
  }

  ecc_point point_{};
};

}  // namespace

Point multiply_base(const Bytes& scalar) {
  const Scalar k(scalar);
  CurvePoint product;
  ecc_point_mul_g(product.get(), k.get());
  return product.affine();
}

Point multiply(const Bytes& scalar, const Point& point) {
  const Scalar k(scalar);
  CurvePoint at(point);
  ecc_point_mul(at.get(), k.get(), at.get());
  return at.affine();
}

Bytes invert_modulo_order(const Bytes& value) {
  Limbs of = limbs_of(value);
  const Limbs order = limbs_of(order_bytes);
  Limbs inverse{};
  std::array<mp_limb_t, 8 * Limbs{}.size()> scratch;
  CHECK(mpn_sec_invert_itch(limb_count) <= static_cast<mp_size_t>(scratch.size()));
  CHECK(mpn_sec_invert(inverse.data(), of.data(), order.data(), limb_count, mp_bitcnt_t{2} * 256,
                       scratch.data()) == 1);
  const Bytes bytes = bytes_of(inverse);
  wipe(of);
  wipe(inverse);
  explicit_bzero(scratch.data(), sizeof scratch);
  return bytes;
}

}  // namespace tls::p256
