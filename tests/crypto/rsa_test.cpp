// SPDX-License-Identifier: ISC
// tests/crypto/rsa_test.cpp: RSA signatures: OpenSSL verifies them, and a fault gives none.
//
// Method: NIST's signatures (PKCS#1; PSS is random); keys of 2048, 3072 and 4096 bits, both
// paddings, every hash; then each bit of each number of a key flipped in turn (a stride of them),
// as a faulty processor would: the answer must be "no" and zeros. Then keys of other shapes.

#include "crypto/rsa.hpp"

#include <gtest/gtest.h>

#include <memory>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "tests/crypto/hex.hpp"
#include "tests/crypto/rsa_vectors.hpp"

namespace {

using crypto::Hash;
using crypto::RsaPadding;
using hex::Buffer;
using Number = rsa_vectors::Key::Number;

const unsigned char* u8(const Buffer& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

using PublicKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

PublicKey public_key(const rsa_vectors::Key& key) {
  const auto number = [&key](Number which) {
    return std::unique_ptr<BIGNUM, decltype(&BN_free)>(
        BN_bin2bn(u8(key.numbers[which]), static_cast<int>(key.numbers[which].size()), nullptr),
        BN_free);
  };
  const auto n = number(Number::n);
  const auto e = number(Number::e);
  std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(OSSL_PARAM_BLD_new(),
                                                                          OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(
      OSSL_PARAM_BLD_to_param(builder.get()), OSSL_PARAM_free);
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* out = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &out, EVP_PKEY_PUBLIC_KEY, parameters.get()), 1);
  return {out, EVP_PKEY_free};
}

bool openssl_verifies(EVP_PKEY* key, RsaPadding padding, Hash hash, const Buffer& digest,
                      const Buffer& signature) {
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  const EVP_MD* md = hash == Hash::sha256   ? EVP_sha256()
                     : hash == Hash::sha384 ? EVP_sha384()
                                            : EVP_sha512();
  EXPECT_EQ(EVP_PKEY_verify_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_signature_md(context.get(), md), 1);
  const bool pss = padding == RsaPadding::pss;
  EXPECT_EQ(
      EVP_PKEY_CTX_set_rsa_padding(context.get(), pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING),
      1);
  if (pss) {
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST), 1);
  }
  return EVP_PKEY_verify(context.get(), u8(signature), signature.size(), u8(digest),
                         digest.size()) == 1;
}

TEST(Rsa, SignaturesOfNist) {
  for (const rsa_vectors::Vector& vector : rsa_vectors::vectors) {
    const rsa_vectors::Key key(vector);
    hex::Random random(1);
    Buffer digest(crypto::hash_bytes(vector.hash));
    crypto::digest(vector.hash, hex::from_hex(vector.message), digest);
    Buffer signature(vector.n.size() / 2);
    EXPECT_TRUE(
        crypto::rsa_sign(key.get(), RsaPadding::pkcs1, vector.hash, digest, random, signature));
    EXPECT_EQ(hex::to_hex(signature), vector.signature);
  }
}

TEST(Rsa, OpenSslVerifiesWhatWeSign) {
  for (const rsa_vectors::Vector& vector : rsa_vectors::vectors) {
    const rsa_vectors::Key key(vector);
    const PublicKey theirs = public_key(key);
    hex::Random random(7);
    for (const Hash hash : {Hash::sha256, Hash::sha384, Hash::sha512}) {
      for (const RsaPadding padding : {RsaPadding::pkcs1, RsaPadding::pss}) {
        Buffer before;
        for (int round = 0; round < 5; ++round) {
          Buffer digest(crypto::hash_bytes(hash));
          if (round > 0) random.fill(digest);
          Buffer signature(vector.n.size() / 2);
          ASSERT_TRUE(crypto::rsa_sign(key.get(), padding, hash, digest, random, signature));
          EXPECT_TRUE(openssl_verifies(theirs.get(), padding, hash, digest, signature));
          EXPECT_NE(signature, before);
          before = signature;
          signature[3] ^= std::byte{1};
          EXPECT_FALSE(openssl_verifies(theirs.get(), padding, hash, digest, signature));
        }
      }
    }
  }
}

TEST(Rsa, AFaultGivesNoSignature) {
  const rsa_vectors::Vector& vector = rsa_vectors::vectors[0];
  hex::Random random(11);
  Buffer digest(crypto::hash_bytes(vector.hash));
  crypto::digest(vector.hash, hex::from_hex(vector.message), digest);
  const Buffer zeros(vector.n.size() / 2);
  for (const Number which : {Number::p, Number::q, Number::d_mod_p, Number::d_mod_q,
                             Number::q_inverse, Number::n, Number::e}) {
    const std::size_t bits = 8 * rsa_vectors::Key(vector).numbers[which].size();
    for (std::size_t bit = 0; bit<bits; bit += bits> 64 ? 97 : 1) {
      rsa_vectors::Key key(vector);
      key.numbers[which][bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      Buffer signature(zeros.size(), std::byte{0xee});
      EXPECT_FALSE(
          crypto::rsa_sign(key.get(), RsaPadding::pkcs1, vector.hash, digest, random, signature))
          << which << " bit " << bit;
      EXPECT_EQ(signature, zeros);
    }
  }
}

TEST(Rsa, KeysOfOtherShapesAreNotSupported) {
  const rsa_vectors::Vector& vector = rsa_vectors::vectors[0];
  EXPECT_TRUE(rsa_vectors::Key(vector).get().is_supported());
  EXPECT_FALSE(crypto::RsaKey().is_supported());
  for (std::size_t which = 0; which < Number::count; ++which) {
    for (const int change : {-1, 1, 8}) {
      if (which == Number::e && change == 1) continue;  // exponents of up to 8 bytes are
      rsa_vectors::Key key(vector);
      Buffer& number = key.numbers[which];
      if (change < 0 && which == Number::e)
        number.clear();
      else
        number.resize(number.size() + static_cast<std::size_t>(change), std::byte{1});
      EXPECT_FALSE(key.get().is_supported()) << which << " " << change;
    }
  }
  for (const Number which : {Number::n, Number::p, Number::q, Number::e}) {
    rsa_vectors::Key key(vector);
    key.numbers[which].back() &= std::byte{0xfe};
    EXPECT_FALSE(key.get().is_supported()) << which;
  }
  rsa_vectors::Key key(vector);
  hex::Random random(1);
  Buffer short_digest(31);
  Buffer signature(vector.n.size() / 2);
  EXPECT_FALSE(
      crypto::rsa_sign(key.get(), RsaPadding::pss, Hash::sha256, short_digest, random, signature));
}

}  // namespace
