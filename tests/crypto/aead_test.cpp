// SPDX-License-Identifier: ISC
// tests/crypto/aead_test.cpp: crypto::Aead against OpenSSL's, by the processor's instructions and
// without.
//
// Method: every length around the sizes at which the code takes another way (a block, eight blocks,
// a record), content cut into pieces at random, the seed printed; then every kind of damage.

#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include <openssl/evp.h>

namespace {

using base::Bytes;
using crypto::Aead;
using crypto::Cipher;
using Buffer = std::vector<std::byte>;

const unsigned char* u8(const std::byte* at) { return reinterpret_cast<const unsigned char*>(at); }
unsigned char* u8(std::byte* at) { return reinterpret_cast<unsigned char*>(at); }

Buffer sealed_by_openssl(Cipher cipher, const Buffer& key, const crypto::Nonce& nonce,
                         const Buffer& associated, const Buffer& content) {
  const EVP_CIPHER* kind = cipher == Cipher::aes_128_gcm   ? EVP_aes_128_gcm()
                           : cipher == Cipher::aes_256_gcm ? EVP_aes_256_gcm()
                                                           : EVP_chacha20_poly1305();
  Buffer out(content.size() + 16);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int size = 0;
  EVP_EncryptInit_ex(context, kind, nullptr, u8(key.data()), u8(nonce.data()));
  EVP_EncryptUpdate(context, nullptr, &size, u8(associated.data()),
                    static_cast<int>(associated.size()));
  EVP_EncryptUpdate(context, u8(out.data()), &size, u8(content.data()),
                    static_cast<int>(content.size()));
  EVP_EncryptFinal_ex(context, u8(out.data()) + size, &size);
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out.data() + content.size());
  EVP_CIPHER_CTX_free(context);
  return out;
}

struct Kind {
  Cipher cipher;
  bool portable;
};
constexpr Kind kinds[] = {{Cipher::aes_128_gcm, false},
                          {Cipher::aes_256_gcm, false},
                          {Cipher::aes_128_gcm, true},
                          {Cipher::aes_256_gcm, true},
                          {Cipher::chacha20_poly1305, false}};

TEST(Aead, SealsWhatOpenSslSealsAndOpensIt) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto fill = [&](auto& bytes) {
    for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 0xffU);
  };
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 300; ++size) sizes.push_back(size);
  for (const std::size_t size :
       std::array<std::size_t, 9>{511, 512, 513, 1023, 1025, 4096, 16383, 16384, 16385}) {
    sizes.push_back(size);
  }
  for (const Kind& kind : kinds) {
    for (const std::size_t size : sizes) {
      SCOPED_TRACE(size);
      Buffer key(crypto::key_bytes(kind.cipher));
      Buffer associated(random() % 30);
      Buffer content(size);
      crypto::Nonce nonce;
      fill(key);
      fill(associated);
      fill(content);
      fill(nonce);
      const Buffer wanted = sealed_by_openssl(kind.cipher, key, nonce, associated, content);

      Aead aead;
      aead.set_key(kind.cipher, key, kind.portable);
      const std::size_t cut_1 = size == 0 ? 0 : random() % size;
      const std::size_t cut_2 = cut_1 + (size == cut_1 ? 0 : random() % (size - cut_1));
      const Bytes all(content);
      const std::array pieces{all.first(cut_1), all.subspan(cut_1, cut_2 - cut_1),
                              all.subspan(cut_2)};
      Buffer sealed(size + 16);
      aead.seal(nonce, associated, pieces, sealed.data());
      ASSERT_EQ(sealed, wanted);

      Buffer apart(size + 16);
      ASSERT_TRUE(aead.open(nonce, associated, sealed, apart.data()));
      apart.resize(size);
      ASSERT_EQ(apart, content);
      ASSERT_TRUE(aead.open(nonce, associated, sealed, sealed.data())) << "in place";
      sealed.resize(size);
      ASSERT_EQ(sealed, content);
    }
  }
}

TEST(Aead, EveryFlippedBitIsNoticed) {
  for (const Kind& kind : kinds) {
    const Buffer key(crypto::key_bytes(kind.cipher), std::byte{7});
    Aead aead;
    aead.set_key(kind.cipher, key, kind.portable);
    const Buffer content(40, std::byte{'a'});
    const Buffer associated(5, std::byte{'b'});
    const crypto::Nonce nonce{};
    Buffer sealed(content.size() + 16);
    const std::array pieces{Bytes(content)};
    aead.seal(nonce, associated, pieces, sealed.data());
    Buffer out(sealed.size());
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      Buffer bad = sealed;
      bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_FALSE(aead.open(nonce, associated, bad, out.data())) << bit;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      EXPECT_FALSE(aead.open(nonce, associated, Bytes(sealed).first(size), out.data())) << size;
    }
    EXPECT_FALSE(aead.open(nonce, Bytes(associated).first(4), sealed, out.data()));
    EXPECT_TRUE(aead.open(nonce, associated, sealed, out.data()));
  }
}

}  // namespace
