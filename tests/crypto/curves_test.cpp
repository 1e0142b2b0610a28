// SPDX-License-Identifier: ISC
// tests/crypto/curves_test.cpp: the arithmetic of Curve25519, P-256 and P-384.
//
// Method: the vectors of RFC 7748; then OpenSSL as the other opinion, on scalars and points at the
// edges and on random ones (the seed is printed). Sums that only a table's edge meets (a digit of
// 0 or 15 everywhere, a sum that is the point to be added) come from the edges.

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "crypto/nist_curves.hpp"
#include "crypto/x25519.hpp"

namespace {

using Bytes = std::array<std::uint8_t, 32>;

Bytes from_hex(std::string_view hex) {
  Bytes bytes{};
  for (std::size_t i = 0; i < 32; ++i) {
    bytes[i] =
        static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  }
  return bytes;
}

Bytes clamped(Bytes scalar) {
  scalar[0] &= 248;
  scalar[31] = static_cast<std::uint8_t>((scalar[31] & 127) | 64);
  return scalar;
}

Bytes random_bytes(std::mt19937_64& random) {
  Bytes bytes;
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(X25519, VectorsOfTheRfc) {
  EXPECT_EQ(
      crypto::x25519(
          clamped(from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")),
          from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
      from_hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
  EXPECT_EQ(
      crypto::x25519(
          clamped(from_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d")),
          from_hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
      from_hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));
  Bytes k = from_hex("0900000000000000000000000000000000000000000000000000000000000000");
  Bytes u = k;
  for (int i = 0; i < 1000; ++i) {
    const Bytes next = crypto::x25519(clamped(k), u);
    u = k;
    k = next;
    if (i == 0) {
      EXPECT_EQ(k, from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
    }
  }
  EXPECT_EQ(k, from_hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

// OpenSSL's; empty where it refuses (a product of zero).
std::vector<std::uint8_t> openssl_25519(const Bytes& scalar, const Bytes& u) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> ours(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), 32), EVP_PKEY_free);
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> theirs(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, u.data(), 32), EVP_PKEY_free);
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(ours.get(), nullptr), EVP_PKEY_CTX_free);
  std::vector<std::uint8_t> out(32);
  std::size_t size = out.size();
  if (EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), theirs.get()) != 1 ||
      EVP_PKEY_derive(context.get(), out.data(), &size) != 1) {
    out.clear();
  }
  return out;
}

TEST(X25519, AgreesWithOpenSsl) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Bytes high;
  high.fill(0xff);
  // Around 0, p and 2^255, where numbers are reduced; and points of small order.
  std::vector<Bytes> points{
      {},
      {1},
      {2},
      {9},
      {19},
      {18},
      high,
      from_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      from_hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      from_hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      from_hex("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
      from_hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")};
  for (int i = 0; i < 500; ++i) points.push_back(random_bytes(random));
  for (const Bytes& u : points) {
    for (const Bytes& scalar : {Bytes{}, high, random_bytes(random)}) {
      const Bytes ours = crypto::x25519(clamped(scalar), u);
      const auto theirs = openssl_25519(scalar, u);
      if (theirs.empty()) {
        EXPECT_EQ(ours, Bytes{});
      } else {
        EXPECT_TRUE(std::equal(ours.begin(), ours.end(), theirs.begin()));
      }
    }
  }
}

template <class Curve>
constexpr int openssl_name = NID_X9_62_prime256v1;
template <>
constexpr int openssl_name<crypto::P384> = NID_secp384r1;

template <class Curve>
struct Group {
  using CurveBytes = typename Curve::Bytes;
  using Point = typename Curve::Point;

  std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group{
      EC_GROUP_new_by_curve_name(openssl_name<Curve>), EC_GROUP_free};
  std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context{BN_CTX_new(), BN_CTX_free};

  using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
  static Number number(const CurveBytes& bytes) {
    return {BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), BN_free};
  }
  static CurveBytes bytes(const BIGNUM* number) {
    CurveBytes out;
    const int size = static_cast<int>(out.size());
    EXPECT_EQ(BN_bn2binpad(number, out.data(), size), size);
    return out;
  }

  // scalar * point; without one scalar * G.
  Point multiply(const CurveBytes& scalar, const Point* point = nullptr) {
    std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)> at(EC_POINT_new(group.get()),
                                                           EC_POINT_free);
    const Number k = number(scalar);
    if (point == nullptr) {
      EXPECT_EQ(EC_POINT_mul(group.get(), at.get(), k.get(), nullptr, nullptr, context.get()), 1);
    } else {
      const Number x = number(point->x);
      const Number y = number(point->y);
      EXPECT_EQ(
          EC_POINT_set_affine_coordinates(group.get(), at.get(), x.get(), y.get(), context.get()),
          1);
      EXPECT_EQ(EC_POINT_mul(group.get(), at.get(), nullptr, at.get(), k.get(), context.get()), 1);
    }
    const Number x(BN_new(), BN_free);
    const Number y(BN_new(), BN_free);
    EXPECT_EQ(
        EC_POINT_get_affine_coordinates(group.get(), at.get(), x.get(), y.get(), context.get()), 1);
    return {bytes(x.get()), bytes(y.get())};
  }
  CurveBytes inverse(const CurveBytes& value) {
    const Number v = number(value);
    const Number out(
        BN_mod_inverse(nullptr, v.get(), EC_GROUP_get0_order(group.get()), context.get()), BN_free);
    return bytes(out.get());
  }
};

// From 1 to the order less 1.
template <class Curve>
std::vector<typename Curve::Bytes> scalars(std::mt19937_64& random, int count) {
  using CurveBytes = typename Curve::Bytes;
  std::vector<CurveBytes> out;
  for (const int value : {1, 2, 3, 15, 16, 17, 31, 32, 255}) {
    const auto small = static_cast<std::uint8_t>(value);
    CurveBytes low{};
    low.back() = small;
    out.push_back(low);
    CurveBytes near_order = Curve::order;
    near_order.back() = static_cast<std::uint8_t>(near_order.back() - std::min(value, 0x51));
    out.push_back(near_order);
    CurveBytes high{};
    high[0] = small;
    if (value != 255) out.push_back(high);
  }
  // Every digit 0 but one, and all of them 15 but for the first.
  for (std::size_t at = 0; at < CurveBytes{}.size(); ++at) {
    CurveBytes one{};
    one[at] = 0x10;
    out.push_back(one);
  }
  CurveBytes full;
  full.fill(0xff);
  full[0] = 0x7f;
  out.push_back(full);
  for (int i = 0; i < count; ++i) {
    CurveBytes any;
    for (auto& byte : any) byte = static_cast<std::uint8_t>(random());
    if (any >= Curve::order) any[0] = 0x5a;
    out.push_back(any);
  }
  return out;
}

template <class Curve>
class NistCurves : public testing::Test {};
using Curves = testing::Types<crypto::P256, crypto::P384>;
TYPED_TEST_SUITE(NistCurves, Curves);

TYPED_TEST(NistCurves, AgreeWithOpenSsl) {
  using Curve = TypeParam;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Group<Curve> group;
  auto point = group.multiply(scalars<Curve>(random, 1).back());
  for (const auto& scalar : scalars<Curve>(random, 60)) {
    const auto base = group.multiply(scalar);
    const auto ours = Curve::multiply_base(scalar);
    ASSERT_EQ(ours.x, base.x);
    ASSERT_EQ(ours.y, base.y);
    const auto theirs = group.multiply(scalar, &point);
    const auto product = Curve::multiply(scalar, point);
    ASSERT_EQ(product.x, theirs.x);
    ASSERT_EQ(product.y, theirs.y);
    ASSERT_EQ(Curve::invert_modulo_order(scalar), group.inverse(scalar));
    point = product;
  }
}

}  // namespace
