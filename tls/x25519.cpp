// SPDX-License-Identifier: ISC
#include "tls/x25519.hpp"

#include <cstddef>

namespace tls {
namespace {

using Wide = unsigned __int128;

// An element modulo p = 2^255 - 19: the sum of limb[i] * 2^(51 i). What multiply() gives has limbs
// below 2^51 + 2^14; it takes limbs below 2^54.
struct Element {
  std::array<std::uint64_t, 5> limb;
};
constexpr std::uint64_t low_51 = (std::uint64_t{1} << 51) - 1;

Element operator+(const Element& a, const Element& b) {
  Element sum;
  for (std::size_t i = 0; i < 5; ++i) sum.limb[i] = a.limb[i] + b.limb[i];
  return sum;
}

// Both as multiply() gives them: 2p is added, so that no limb wraps.
Element operator-(const Element& a, const Element& b) {
  constexpr std::uint64_t first = 2 * (low_51 - 18);
  constexpr std::uint64_t other = 2 * low_51;
  Element difference;
  for (std::size_t i = 0; i < 5; ++i) {
    difference.limb[i] = a.limb[i] + (i == 0 ? first : other) - b.limb[i];
  }
  return difference;
}

// 2^255 is 19 modulo p: what leaves the top comes in below, times 19.
Element carry(std::array<Wide, 5> t) {
  Element out;
  for (std::size_t i = 0; i < 4; ++i) {
    t[i + 1] += static_cast<std::uint64_t>(t[i] >> 51);
    out.limb[i] = static_cast<std::uint64_t>(t[i]) & low_51;
  }
  out.limb[4] = static_cast<std::uint64_t>(t[4]) & low_51;
  out.limb[0] += 19 * static_cast<std::uint64_t>(t[4] >> 51);
  out.limb[1] += out.limb[0] >> 51;
  out.limb[0] &= low_51;
  return out;
}

Element operator*(const Element& left, const Element& right) {
  const auto& a = left.limb;
  const auto& b = right.limb;
  const std::uint64_t b1 = 19 * b[1];
  const std::uint64_t b2 = 19 * b[2];
  const std::uint64_t b3 = 19 * b[3];
  const std::uint64_t b4 = 19 * b[4];
  return carry(
      {Wide{a[0]} * b[0] + Wide{a[1]} * b4 + Wide{a[2]} * b3 + Wide{a[3]} * b2 + Wide{a[4]} * b1,
       Wide{a[0]} * b[1] + Wide{a[1]} * b[0] + Wide{a[2]} * b4 + Wide{a[3]} * b3 + Wide{a[4]} * b2,
       Wide{a[0]} * b[2] + Wide{a[1]} * b[1] + Wide{a[2]} * b[0] + Wide{a[3]} * b4 +
           Wide{a[4]} * b3,
       Wide{a[0]} * b[3] + Wide{a[1]} * b[2] + Wide{a[2]} * b[1] + Wide{a[3]} * b[0] +
           Wide{a[4]} * b4,
       Wide{a[0]} * b[4] + Wide{a[1]} * b[3] + Wide{a[2]} * b[2] + Wide{a[3]} * b[1] +
           Wide{a[4]} * b[0]});
}

Element square(const Element& of) {
  const auto& a = of.limb;
  const std::uint64_t twice0 = 2 * a[0];
  const std::uint64_t twice1 = 2 * a[1];
  const std::uint64_t twice2 = 2 * a[2];
  const std::uint64_t twice3 = 2 * a[3];
  const std::uint64_t a3 = 19 * a[3];
  const std::uint64_t a4 = 19 * a[4];
  return carry({Wide{a[0]} * a[0] + Wide{twice1} * a4 + Wide{twice2} * a3,
                Wide{twice0} * a[1] + Wide{twice2} * a4 + Wide{a[3]} * a3,
                Wide{twice0} * a[2] + Wide{a[1]} * a[1] + Wide{twice3} * a4,
                Wide{twice0} * a[3] + Wide{twice1} * a[2] + Wide{a[4]} * a4,
                Wide{twice0} * a[4] + Wide{twice1} * a[3] + Wide{a[2]} * a[2]});
}

Element square_times(Element a, int count) {
  for (int i = 0; i < count; ++i) a = square(a);
  return a;
}

// (486662 - 2) / 4 times it.
Element times_a24(const Element& a) {
  std::array<Wide, 5> t;
  for (std::size_t i = 0; i < 5; ++i) t[i] = Wide{a.limb[i]} * 121665;
  return carry(t);
}

// a^(p - 2): all ones but for bits 2 and 4 of 255. Names say which power of a is meant: x_y is
// 2^x - 2^y.
Element invert(const Element& a) {
  const Element a2 = square(a);
  const Element a9 = square_times(a2, 2) * a;
  const Element a11 = a9 * a2;
  const Element p5_0 = square(a11) * a9;
  const Element p10_0 = square_times(p5_0, 5) * p5_0;
  const Element p20_0 = square_times(p10_0, 10) * p10_0;
  const Element p40_0 = square_times(p20_0, 20) * p20_0;
  const Element p50_0 = square_times(p40_0, 10) * p10_0;
  const Element p100_0 = square_times(p50_0, 50) * p50_0;
  const Element p200_0 = square_times(p100_0, 100) * p100_0;
  const Element p250_0 = square_times(p200_0, 50) * p50_0;
  return square_times(p250_0, 5) * a11;
}

// Exchanges them if `bit` is 1, without asking.
void swap_if(std::uint64_t bit, Element& a, Element& b) {
  const std::uint64_t mask = 0 - bit;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::uint64_t difference = mask & (a.limb[i] ^ b.limb[i]);
    a.limb[i] ^= difference;
    b.limb[i] ^= difference;
  }
}

Element from_bytes(const X25519Bytes& bytes) {
  std::array<std::uint64_t, 4> word{};
  for (std::size_t i = 0; i < 32; ++i) word[i / 8] |= std::uint64_t{bytes[i]} << (8 * (i % 8));
  return {{word[0] & low_51, (word[0] >> 51 | word[1] << 13) & low_51,
           (word[1] >> 38 | word[2] << 26) & low_51, (word[2] >> 25 | word[3] << 39) & low_51,
           (word[3] >> 12) & low_51}};
}

// The one below p.
X25519Bytes to_bytes(Element a) {
  auto settle = [&a] {
    for (std::size_t i = 0; i < 4; ++i) {
      a.limb[i + 1] += a.limb[i] >> 51;
      a.limb[i] &= low_51;
    }
    a.limb[0] += 19 * (a.limb[4] >> 51);
    a.limb[4] &= low_51;
  };
  settle();
  settle();
  // Now below 2^255 + 2^8 in value. Adding 19 and taking it away again with bit 255 subtracts p
  // once if there was that much.
  a.limb[0] += 19;
  settle();
  a.limb[0] += (std::uint64_t{1} << 51) - 19;
  for (std::size_t i = 1; i < 5; ++i) a.limb[i] += (std::uint64_t{1} << 51) - 1;
  for (std::size_t i = 0; i < 4; ++i) {
    a.limb[i + 1] += a.limb[i] >> 51;
    a.limb[i] &= low_51;
  }
  a.limb[4] &= low_51;
  const std::array<std::uint64_t, 4> word{
      a.limb[0] | a.limb[1] << 51, a.limb[1] >> 13 | a.limb[2] << 38,
      a.limb[2] >> 26 | a.limb[3] << 25, a.limb[3] >> 39 | a.limb[4] << 12};
  X25519Bytes bytes;
  for (std::size_t i = 0; i < 32; ++i) {
    bytes[i] = static_cast<std::uint8_t>(word[i / 8] >> (8 * (i % 8)));
  }
  return bytes;
}

}  // namespace

// RFC 7748 section 5, with its names.
X25519Bytes x25519(const X25519Bytes& scalar, const X25519Bytes& u) noexcept {
  const Element x1 = from_bytes(u);
  Element x2{{1, 0, 0, 0, 0}};
  Element z2{{0, 0, 0, 0, 0}};
  Element x3 = x1;
  Element z3 = x2;
  std::uint64_t swap = 0;
  for (std::size_t at = 255; at-- > 0;) {
    const std::uint64_t bit = (scalar[at / 8] >> (at % 8)) & 1U;
    swap_if(swap ^ bit, x2, x3);
    swap_if(swap ^ bit, z2, z3);
    swap = bit;
    const Element a = x2 + z2;
    const Element b = x2 - z2;
    const Element aa = square(a);
    const Element bb = square(b);
    const Element e = aa - bb;
    const Element da = (x3 - z3) * a;
    const Element cb = (x3 + z3) * b;
    x3 = square(da + cb);
    z3 = x1 * square(da - cb);
    x2 = aa * bb;
    z2 = e * (aa + times_a24(e));
  }
  swap_if(swap, x2, x3);
  swap_if(swap, z2, z3);
  return to_bytes(x2 * invert(z2));
}

}  // namespace tls
