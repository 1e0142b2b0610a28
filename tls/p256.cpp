// SPDX-License-Identifier: ISC
#include "tls/p256.hpp"

#include <cstddef>
#include <memory>

namespace tls::p256 {
namespace {

using Wide = unsigned __int128;
using Words = std::array<std::uint64_t, 4>;  // the least first

// A modulus m, odd and above 2^255, for Montgomery's multiplication with R = 2^256.
struct Modulus {
  Words m;
  std::uint64_t minus_inverse;  // of m[0], modulo 2^64
  Words r_squared;              // R * R modulo m
};

constexpr Modulus field{
    {0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000, 0xffffffff00000001},
    1,
    {0x0000000000000003, 0xfffffffbffffffff, 0xfffffffffffffffe, 0x00000004fffffffd}};
constexpr Modulus order{
    {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000},
    0xccd1c8aaee00bc4f,
    {0x83244c95be79eea2, 0x4699799c49bd6fa6, 0x2845b2392b6bec59, 0x66e12d94f3d95620}};

// a - m if a, with `top` as its fifth word, is not below m; without asking which.
constexpr Words reduce_once(const Words& a, std::uint64_t top, const Words& m) {
  Words less{};
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Wide difference = Wide{a[i]} - m[i] - borrow;
    less[i] = static_cast<std::uint64_t>(difference);
    borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
  }
  const std::uint64_t keep = 0 - (borrow & ~top & 1);  // all ones: a was below m
  Words out{};
  for (std::size_t i = 0; i < 4; ++i) out[i] = (a[i] & keep) | (less[i] & ~keep);
  return out;
}

constexpr Words add(const Words& a, const Words& b, const Words& m) {
  Words sum{};
  Wide carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    carry += Wide{a[i]} + b[i];
    sum[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  return reduce_once(sum, static_cast<std::uint64_t>(carry), m);
}

// a * b / R. Made for each modulus, whose words let the compiler leave much out; and not in line,
// as it is most of what this file does.
template <const Modulus& modulus>
[[gnu::noinline]] constexpr Words multiply(const Words& a, const Words& b) {
  const Words& m = modulus.m;
  std::array<std::uint64_t, 5> t{};
  for (std::size_t i = 0; i < 4; ++i) {
    Wide sum = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      sum += Wide{a[i]} * b[j] + t[j];
      t[j] = static_cast<std::uint64_t>(sum);
      sum >>= 64;
    }
    sum += t[4];
    t[4] = static_cast<std::uint64_t>(sum);
    const auto over = static_cast<std::uint64_t>(sum >> 64);

    const std::uint64_t factor = t[0] * modulus.minus_inverse;
    sum = (Wide{factor} * m[0] + t[0]) >> 64;
    for (std::size_t j = 1; j < 4; ++j) {
      sum += Wide{factor} * m[j] + t[j];
      t[j - 1] = static_cast<std::uint64_t>(sum);
      sum >>= 64;
    }
    sum += t[4];
    t[3] = static_cast<std::uint64_t>(sum);
    t[4] = over + static_cast<std::uint64_t>(sum >> 64);
  }
  return reduce_once({t[0], t[1], t[2], t[3]}, t[4], m);
}

// a^(m - 2), which is the inverse of a for a prime m. The exponent is no secret.
template <const Modulus& modulus>
Words invert(const Words& a) {
  Words exponent = modulus.m;
  exponent[0] -= 2;
  // By four bits: a^0 is never multiplied by, a^1 to a^15 are made first.
  std::array<Words, 16> power{};
  power[1] = a;
  for (std::size_t i = 2; i < 16; ++i) power[i] = multiply<modulus>(power[i - 1], a);
  Words out = power[exponent[3] >> 60];
  for (std::size_t at = 63; at-- > 0;) {
    for (int i = 0; i < 4; ++i) out = multiply<modulus>(out, out);
    const std::size_t digit = (exponent[at / 16] >> (4 * (at % 16))) & 15;
    if (digit != 0) out = multiply<modulus>(out, power[digit]);
  }
  return out;
}

// An element of the field, in Montgomery's form.
struct Element {
  Words words{};
};
constexpr Element operator*(const Element& a, const Element& b) {
  return {multiply<field>(a.words, b.words)};
}
constexpr Element operator+(const Element& a, const Element& b) {
  return {add(a.words, b.words, field.m)};
}
constexpr Element operator-(const Element& a, const Element& b) {
  // a + (m - b); m itself stands for b = 0, and add() takes it away again.
  Words negative{};
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Wide difference = Wide{field.m[i]} - b.words[i] - borrow;
    negative[i] = static_cast<std::uint64_t>(difference);
    borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
  }
  return {add(a.words, negative, field.m)};
}
constexpr Element element_of(const Words& words) {
  return {multiply<field>(words, field.r_squared)};
}

constexpr Element one = element_of({1, 0, 0, 0});
constexpr Element curve_b =
    element_of({0x3bce3c3e27d2604b, 0x651d06b0cc53b0f6, 0xb3ebbd55769886bc, 0x5ac635d8aa3a93e7});

// x = X / Z, y = Y / Z; Z is 0 at infinity.
struct Projective {
  Element x{};
  Element y = one;
  Element z{};
};
constexpr Projective base{
    element_of({0xf4a13945d898c296, 0x77037d812deb33a0, 0xf8bce6e563a440f2, 0x6b17d1f2e12c4247}),
    element_of({0xcbb6406837bf51f5, 0x2bce33576b315ece, 0x8ee7eb4a7c0f9e16, 0x4fe342e2fe1a7f9b}),
    one};

// Algorithm 4 of the paper, for a = -3: any two points, also the same or infinity.
Projective operator+(const Projective& p, const Projective& q) {
  const Element xx = p.x * q.x;
  const Element yy = p.y * q.y;
  const Element zz = p.z * q.z;
  const Element xy = (p.x + p.y) * (q.x + q.y) - (xx + yy);
  const Element yz = (p.y + p.z) * (q.y + q.z) - (yy + zz);
  const Element xz = (p.x + p.z) * (q.x + q.z) - (xx + zz);

  const Element u = xz - curve_b * zz;
  const Element u3 = u + u + u;
  const Element zz3 = zz + zz + zz;
  const Element v = curve_b * xz - zz3 - xx;
  const Element v3 = v + v + v;
  const Element w = xx + xx + xx - zz3;
  const Element minus = yy - u3;
  const Element plus = yy + u3;
  return {xy * plus - yz * v3, plus * minus + w * v3, yz * minus + xy * w};
}

Words words_of(const Bytes& bytes) {
  Words words{};
  for (std::size_t i = 0; i < 32; ++i) {
    words[3 - i / 8] |= std::uint64_t{bytes[i]} << (8 * (7 - i % 8));
  }
  return words;
}
Bytes bytes_of(const Words& words) {
  Bytes bytes;
  for (std::size_t i = 0; i < 32; ++i) {
    bytes[i] = static_cast<std::uint8_t>(words[3 - i / 8] >> (8 * (7 - i % 8)));
  }
  return bytes;
}
Bytes bytes_of(const Element& element) {
  return bytes_of(multiply<field>(element.words, {1, 0, 0, 0}));
}

Point affine(const Projective& p) {
  const Element inverse{invert<field>(p.z.words)};
  return {bytes_of(p.x * inverse), bytes_of(p.y * inverse)};
}

// Multiples 0 to 15 of a point.
using Window = std::array<Projective, 16>;
void fill(Window& window, const Projective& point) {
  window[0] = Projective{};
  for (std::size_t i = 1; i < 16; ++i) window[i] = window[i - 1] + point;
}

// window[digit], after reading all of it: a cache must not tell which.
Projective choose(const Window& window, std::uint64_t digit) {
  Projective out{{}, {}, {}};
  for (std::uint64_t i = 0; i < 16; ++i) {
    const std::uint64_t mask = 0 - (((i ^ digit) - 1) >> 63);  // all ones where i is the digit
    for (std::size_t w = 0; w < 4; ++w) {
      out.x.words[w] |= mask & window[i].x.words[w];
      out.y.words[w] |= mask & window[i].y.words[w];
      out.z.words[w] |= mask & window[i].z.words[w];
    }
  }
  return out;
}

std::uint64_t digit_of(const Words& scalar, std::size_t at) {
  return (scalar[at / 16] >> (4 * (at % 16))) & 15;
}

// For each four bits of a scalar, the multiples of G that they may stand for.
using BaseTable = std::array<Window, 64>;
std::unique_ptr<const BaseTable> make_base_table() {
  auto table = std::make_unique<BaseTable>();
  Projective point = base;
  for (Window& window : *table) {
    fill(window, point);
    point = window[15] + point;
  }
  return table;
}

}  // namespace

Point multiply_base(const Bytes& scalar) {
  static const std::unique_ptr<const BaseTable> table = make_base_table();
  const Words words = words_of(scalar);
  Projective sum;
  for (std::size_t at = 0; at < 64; ++at) sum = sum + choose((*table)[at], digit_of(words, at));
  return affine(sum);
}

Point multiply(const Bytes& scalar, const Point& point) noexcept {
  Window window;
  fill(window, {element_of(words_of(point.x)), element_of(words_of(point.y)), one});
  const Words words = words_of(scalar);
  Projective sum = choose(window, digit_of(words, 63));
  for (std::size_t at = 63; at-- > 0;) {
    for (int i = 0; i < 4; ++i) sum = sum + sum;
    sum = sum + choose(window, digit_of(words, at));
  }
  return affine(sum);
}

Bytes invert_modulo_order(const Bytes& value) noexcept {
  const Words a = multiply<order>(words_of(value), order.r_squared);
  return bytes_of(multiply<order>(invert<order>(a), {1, 0, 0, 0}));
}

}  // namespace tls::p256
