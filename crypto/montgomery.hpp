// SPDX-License-Identifier: ISC
// crypto/montgomery.hpp: multiplication and powers modulo an odd number, for RSA.
//
// Owns:    tables for one modulus, wiped with it.
// Source:  P. L. Montgomery, Modular multiplication without trial division, 1985.
// Time:    depends on the modulus' size only, and for power_public on its exponent.
// Why:     Debian's static GMP is built for the first x86-64. Its mpn_sec_powm takes 1.15 times as
//          long as GMP's own products with the reduction here, which uses MULX and ADX if it can.
// For crypto/*.cpp only.   May include: base.

#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "crypto/gmp.hpp"

namespace crypto {

// Numbers have size() limbs. In Montgomery form x stands for x * 2^(64 * size()) modulo m; such
// numbers are less than 2^(64 * size()), not always less than m.
class Montgomery {
 public:
  static constexpr std::size_t limbs_max = 64;
  using Number = std::array<mp_limb_t, limbs_max>;

  // `modulus` is odd, with a highest limb that is not 0.
  explicit Montgomery(std::span<const mp_limb_t> modulus);
  ~Montgomery();
  Montgomery(const Montgomery&) = delete;
  Montgomery& operator=(const Montgomery&) = delete;

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(size_); }

  // Into Montgomery form, of a number of up to 2 * size() limbs, and out of it, less than m.
  void enter(std::span<const mp_limb_t> number, Number& out);
  void leave(const Number& number, Number& out);

  // All in Montgomery form; `out` may be any argument.
  void multiply(const Number& a, const Number& b, Number& out);
  void power_public(const Number& base, mp_limb_t exponent, Number& out);
  // The exponent has size() limbs.
  void power_secret(const Number& base, std::span<const mp_limb_t> exponent, Number& out);

 private:
  static constexpr unsigned window_bits = 5;

  void square(const Number& a, Number& out);
  void reduce(Number& out);
  void remainder(std::size_t limbs);

  mp_size_t size_;
  Number modulus_;
  mp_limb_t inverse_;  // -1/m modulo 2^64
  Number square_of_r_;
  std::array<mp_limb_t, 2 * limbs_max + 1> product_;
  std::array<mp_limb_t, 6 * limbs_max> scratch_;
  std::array<mp_limb_t, (std::size_t{1} << window_bits) * limbs_max / 2> powers_;
};

}  // namespace crypto
