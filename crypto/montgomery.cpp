// SPDX-License-Identifier: ISC
#include "crypto/montgomery.hpp"

#include <cpuid.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/secret.hpp"

namespace crypto {
namespace {

// sum += a * factor, of `size` limbs; returns the carry. As mpn_addmul_1, with two chains of
// carries at once. `size` is a multiple of 8, and not 0.
mp_limb_t add_product_adx(mp_limb_t* sum, const mp_limb_t* a, std::size_t size, mp_limb_t factor) {
  mp_limb_t carry = 0;
  mp_limb_t high;
  mp_limb_t low;
  std::size_t rounds = size / 8;
  // CF carries from one product to the next, OF from one sum to the next; LEA and JRCXZ leave both.
  asm("xor %k[low], %k[low]\n"
      "1:\n"
      "mulx (%[a]), %[low], %[high]\n"
      "adcx %[carry], %[low]\n"
      "adox (%[sum]), %[low]\n"
      "mov %[low], (%[sum])\n"
      "mulx 8(%[a]), %[low], %[carry]\n"
      "adcx %[high], %[low]\n"
      "adox 8(%[sum]), %[low]\n"
      "mov %[low], 8(%[sum])\n"
      "mulx 16(%[a]), %[low], %[high]\n"
      "adcx %[carry], %[low]\n"
      "adox 16(%[sum]), %[low]\n"
      "mov %[low], 16(%[sum])\n"
      "mulx 24(%[a]), %[low], %[carry]\n"
      "adcx %[high], %[low]\n"
      "adox 24(%[sum]), %[low]\n"
      "mov %[low], 24(%[sum])\n"
      "mulx 32(%[a]), %[low], %[high]\n"
      "adcx %[carry], %[low]\n"
      "adox 32(%[sum]), %[low]\n"
      "mov %[low], 32(%[sum])\n"
      "mulx 40(%[a]), %[low], %[carry]\n"
      "adcx %[high], %[low]\n"
      "adox 40(%[sum]), %[low]\n"
      "mov %[low], 40(%[sum])\n"
      "mulx 48(%[a]), %[low], %[high]\n"
      "adcx %[carry], %[low]\n"
      "adox 48(%[sum]), %[low]\n"
      "mov %[low], 48(%[sum])\n"
      "mulx 56(%[a]), %[low], %[carry]\n"
      "adcx %[high], %[low]\n"
      "adox 56(%[sum]), %[low]\n"
      "mov %[low], 56(%[sum])\n"
      "lea 64(%[a]), %[a]\n"
      "lea 64(%[sum]), %[sum]\n"
      "lea -1(%[rounds]), %[rounds]\n"
      "jrcxz 2f\n"
      "jmp 1b\n"
      "2:\n"
      "mov $0, %k[low]\n"
      "adcx %[low], %[carry]\n"
      "adox %[low], %[carry]\n"
      : [sum] "+r"(sum), [a] "+r"(a), [rounds] "+c"(rounds), [carry] "+r"(carry),
        [high] "=&r"(high), [low] "=&r"(low)
      : "d"(factor)
      : "cc", "memory");
  return carry;
}

// MULX (BMI2) and ADX need nothing of the operating system. (Not every compiler's
// __builtin_cpu_supports knows ADX.)
bool has_adx() {
  static const bool has = [] {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_BMI2) != 0 &&
           (b & bit_ADX) != 0;
  }();
  return has;
}

// Newton's iteration doubles the right bits of the inverse: 3, 6, 12, 24, 48, 96.
mp_limb_t inverse_of(mp_limb_t odd) {
  mp_limb_t inverse = odd;
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}

}  // namespace

Montgomery::Montgomery(std::span<const mp_limb_t> modulus)
    : size_(static_cast<mp_size_t>(modulus.size())), inverse_(0 - inverse_of(modulus[0])) {
  CHECK(modulus.size() <= limbs_max && (modulus[0] & 1) != 0 && modulus.back() != 0);
  std::copy(modulus.begin(), modulus.end(), modulus_.begin());
  std::fill_n(product_.begin(), 2 * size(), 0);
  product_[2 * size()] = 1;
  remainder(2 * size() + 1);
  std::copy_n(product_.begin(), size(), square_of_r_.begin());
}

Montgomery::~Montgomery() { base::wipe({reinterpret_cast<std::byte*>(this), sizeof *this}); }

// product_, of so many limbs, modulo m.
void Montgomery::remainder(std::size_t limbs) {
  const auto count = static_cast<mp_size_t>(limbs);
  CHECK(mpn_sec_div_r_itch(count, size_) <= static_cast<mp_size_t>(scratch_.size()));
  mpn_sec_div_r(product_.data(), count, modulus_.data(), size_, scratch_.data());
}

void Montgomery::enter(std::span<const mp_limb_t> number, Number& out) {
  CHECK(number.size() >= size() && number.size() <= 2 * size());
  std::copy(number.begin(), number.end(), product_.begin());
  remainder(number.size());
  std::copy_n(product_.begin(), size(), out.begin());
  multiply(out, square_of_r_, out);
}

void Montgomery::leave(const Number& number, Number& out) {
  std::copy_n(number.begin(), size(), product_.begin());
  std::fill_n(product_.begin() + size_, size(), 0);
  reduce(out);
  std::copy_n(out.begin(), size(), product_.begin());
  remainder(size());
  std::copy_n(product_.begin(), size(), out.begin());
}

// out = product_ / 2^(64 * size()).
void Montgomery::reduce(Number& out) {
  const bool fast = size() % 8 == 0 && has_adx();
  for (std::size_t i = 0; i < size(); ++i) {
    mp_limb_t* const at = product_.data() + i;
    const mp_limb_t factor = *at * inverse_;
    // The limb at the front becomes 0, so the carry waits there.
    *at = fast ? add_product_adx(at, modulus_.data(), size(), factor)
               : mpn_addmul_1(at, modulus_.data(), size_, factor);
  }
  const mp_limb_t carry = mpn_add_n(out.data(), product_.data() + size_, product_.data(), size_);
  mpn_cnd_sub_n(carry, out.data(), out.data(), modulus_.data(), size_);
}

void Montgomery::multiply(const Number& a, const Number& b, Number& out) {
  CHECK(mpn_sec_mul_itch(size_, size_) <= static_cast<mp_size_t>(scratch_.size()));
  mpn_sec_mul(product_.data(), a.data(), size_, b.data(), size_, scratch_.data());
  reduce(out);
}

void Montgomery::square(const Number& a, Number& out) {
  CHECK(mpn_sec_sqr_itch(size_) <= static_cast<mp_size_t>(scratch_.size()));
  mpn_sec_sqr(product_.data(), a.data(), size_, scratch_.data());
  reduce(out);
}

void Montgomery::power_public(const Number& base, mp_limb_t exponent, Number& out) {
  CHECK(exponent != 0);
  const Number of = base;
  out = of;
  for (int bit = 62 - __builtin_clzll(exponent); bit >= 0; --bit) {
    square(out, out);
    if ((exponent >> bit & 1) != 0) multiply(out, of, out);
  }
}

void Montgomery::power_secret(const Number& base, std::span<const mp_limb_t> exponent,
                              Number& out) {
  constexpr std::size_t count = std::size_t{1} << window_bits;
  CHECK(exponent.size() == size() && count * size() <= powers_.size());
  Number power{1};
  multiply(power, square_of_r_, power);  // 1
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(power.begin(), size(), powers_.data() + i * size());
    if (i + 1 < count) multiply(power, base, power);
  }
  // From the top, window by window; the first may be shorter.
  const std::size_t bits = 64 * size();
  std::size_t at = (bits - 1) / window_bits * window_bits;
  const auto select = [&] {
    const std::size_t limb = at / 64;
    mp_limb_t window = exponent[limb] >> (at % 64);
    if (at % 64 > 64 - window_bits && limb + 1 < size()) {
      window |= exponent[limb + 1] << (64 - at % 64);
    }
    window &= count - 1;
    mpn_sec_tabselect(power.data(), powers_.data(), size_, count, static_cast<mp_size_t>(window));
  };
  select();
  Number result = power;
  while (at > 0) {
    at -= window_bits;
    for (unsigned i = 0; i < window_bits; ++i) square(result, result);
    select();
    multiply(result, power, result);
  }
  out = result;
  base::wipe(std::as_writable_bytes(std::span(power)));
  base::wipe(std::as_writable_bytes(std::span(result)));
}

}  // namespace crypto
