// SPDX-License-Identifier: ISC
// crypto/p256.cpp: nettle multiplies, GMP inverts, both by their functions of constant time.
#include "crypto/p256.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <gmp.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>

#include "base/check.hpp"

namespace crypto::p256 {

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

// What GMP and nettle allocate during one operation. From malloc it could be refused, and then GMP
// aborts; and the numbers may be secret.
class Arena {
 public:
  Arena() {
    static const bool taken = [] {
      mp_set_memory_functions(allocate, resize, release);
      return true;
    }();
    static_cast<void>(taken);
    CHECK(current == nullptr);
    current = this;
  }
  ~Arena() {
    explicit_bzero(bytes_.data(), used_max_);
    current = nullptr;
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

 private:
  static constexpr std::size_t step = alignof(std::max_align_t);
  static std::size_t whole_steps(std::size_t size) { return (size + step - 1) / step * step; }

  static void* allocate(std::size_t size) {
    CHECK(current != nullptr);
    Arena& arena = *current;
    CHECK(size <= arena.bytes_.size() - arena.used_);
    std::byte* const at = arena.bytes_.data() + arena.used_;
    arena.used_ += whole_steps(size);
    arena.used_max_ = std::max(arena.used_max_, arena.used_);
    return at;
  }
  // The newest goes back at once; others when the operation is over.
  static void release(void* at, std::size_t size) {
    const auto place =
        static_cast<std::size_t>(static_cast<std::byte*>(at) - current->bytes_.data());
    if (place + whole_steps(size) == current->used_) current->used_ = place;
  }
  static void* resize(void* at, std::size_t old_size, std::size_t size) {
    void* const moved = allocate(size);
    std::memcpy(moved, at, std::min(old_size, size));
    return moved;
  }

  static thread_local Arena* current;
  // A multiplication takes about half of it.
  alignas(step) std::array<std::byte, std::size_t{16} * 1024> bytes_;
  std::size_t used_ = 0;
  std::size_t used_max_ = 0;
};
thread_local Arena* Arena::current = nullptr;

const ecc_curve* curve() { return nettle_get_secp_256r1(); }

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
  const Arena arena;
  const Scalar k(scalar);
  CurvePoint product;
  ecc_point_mul_g(product.get(), k.get());
  return product.affine();
}

Point multiply(const Bytes& scalar, const Point& point) {
  const Arena arena;
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

}  // namespace crypto::p256
