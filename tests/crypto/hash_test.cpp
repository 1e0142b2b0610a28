// SPDX-License-Identifier: ISC
// tests/crypto/hash_test.cpp: SHA-2 in pieces, HMAC and HKDF, with OpenSSL as the second opinion.
//
// Method: every way of cutting a message in two must give the whole's digest, around the block size
// of 64 bytes and the length field of 8, where padding goes wrong; then keys, messages and outputs
// of every length around the block sizes. The answers of the standards are in
// known_answers_test.cpp.

#include "crypto/hash.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

namespace {

using crypto::Hash;
using Buffer = std::vector<std::byte>;

constexpr Hash hashes[] = {Hash::sha256, Hash::sha384, Hash::sha512};

const EVP_MD* openssl(Hash hash) {
  return hash == Hash::sha256 ? EVP_sha256() : hash == Hash::sha384 ? EVP_sha384() : EVP_sha512();
}

unsigned char* u8(Buffer& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Buffer counting(std::size_t size) {
  Buffer out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + 1);
  return out;
}

TEST(Sha256, PiecesGiveTheDigestOfTheWhole) {
  for (std::size_t length : {0U, 1U, 55U, 56U, 63U, 64U, 65U, 119U, 120U, 128U, 200U}) {
    const Buffer whole = counting(length);
    for (std::size_t cut = 0; cut <= length; ++cut) {
      crypto::Sha256 sha256;
      sha256.update(base::Bytes(whole).first(cut));
      sha256.update(base::Bytes(whole).subspan(cut));
      EXPECT_EQ(sha256.finish(), crypto::sha256_of(whole)) << length << " cut at " << cut;
    }
  }
}

TEST(Digest, AgreesWithOpenSsl) {
  for (const Hash hash : hashes) {
    for (std::size_t length = 0; length <= 300; ++length) {
      Buffer message = counting(length);
      Buffer ours(crypto::hash_bytes(hash));
      Buffer theirs(crypto::hash_bytes(hash));
      crypto::digest(hash, message, ours);
      ASSERT_EQ(EVP_Digest(message.data(), length, u8(theirs), nullptr, openssl(hash), nullptr), 1);
      ASSERT_EQ(ours, theirs) << length;
    }
  }
}

TEST(Hmac, AgreesWithOpenSsl) {
  for (const Hash hash : hashes) {
    for (std::size_t length : {0U, 1U, 32U, 48U, 63U, 64U, 65U, 127U, 128U, 129U, 300U}) {
      Buffer key = counting(length);
      Buffer message = counting(length / 2);
      Buffer ours(crypto::hash_bytes(hash));
      Buffer theirs(crypto::hash_bytes(hash));
      crypto::hmac(hash, key, message, ours);
      ASSERT_NE(HMAC(openssl(hash), length == 0 ? "" : static_cast<void*>(key.data()),
                     static_cast<int>(length), u8(message), message.size(), u8(theirs), nullptr),
                nullptr);
      EXPECT_EQ(ours, theirs) << length;
    }
  }
}

Buffer openssl_hkdf(Hash hash, int mode, Buffer key, Buffer salt, Buffer info, std::size_t size) {
  Buffer out(size);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr);
  EXPECT_EQ(EVP_PKEY_derive_init(context), 1);
  EXPECT_EQ(EVP_PKEY_CTX_hkdf_mode(context, mode), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_hkdf_md(context, openssl(hash)), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set1_hkdf_key(context, u8(key), static_cast<int>(key.size())), 1);
  if (!salt.empty()) {
    EXPECT_EQ(EVP_PKEY_CTX_set1_hkdf_salt(context, u8(salt), static_cast<int>(salt.size())), 1);
  }
  if (!info.empty()) {
    EXPECT_EQ(EVP_PKEY_CTX_add1_hkdf_info(context, u8(info), static_cast<int>(info.size())), 1);
  }
  EXPECT_EQ(EVP_PKEY_derive(context, u8(out), &size), 1);
  EVP_PKEY_CTX_free(context);
  return out;
}

TEST(Hkdf, AgreesWithOpenSsl) {
  for (const Hash hash : hashes) {
    const std::size_t digest_bytes = crypto::hash_bytes(hash);
    const Buffer secret = counting(32);
    for (std::size_t salt_bytes : {0U, 1U, 48U, 200U}) {
      const Buffer salt = counting(salt_bytes);
      Buffer key(digest_bytes);
      crypto::hkdf_extract(hash, salt, secret, key);
      EXPECT_EQ(key, openssl_hkdf(hash, EVP_PKEY_HKDEF_MODE_EXTRACT_ONLY, secret, salt, {},
                                  digest_bytes));
      for (std::size_t size :
           {std::size_t{1}, digest_bytes - 1, digest_bytes, digest_bytes + 1, 255 * digest_bytes}) {
        Buffer out(size);
        crypto::hkdf_expand(hash, key, counting(salt_bytes), out);
        EXPECT_EQ(out, openssl_hkdf(hash, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY, key, {},
                                    counting(salt_bytes), size));
      }
    }
  }
}

}  // namespace
