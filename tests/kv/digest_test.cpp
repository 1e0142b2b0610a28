// SPDX-License-Identifier: ISC
// tests/kv/digest_test.cpp: SHA-256 against the vectors of FIPS 180-4 and NIST's examples.
//
// Method: known answers; then every way of cutting a message in two must give the whole's answer,
// around the block size of 64 bytes and the length field of 8, where padding goes wrong.

#include "kv/digest.hpp"

#include <gtest/gtest.h>

namespace {

std::string hex(std::string_view text) { return kv::hex_of(kv::sha256_of(base::bytes_of(text))); }

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, PiecesGiveTheDigestOfTheWhole) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += static_cast<char>(i);
  for (std::size_t length : {0U, 1U, 55U, 56U, 63U, 64U, 65U, 119U, 120U, 128U, 200U}) {
    std::string_view whole = std::string_view(text).substr(0, length);
    for (std::size_t cut = 0; cut <= length; ++cut) {
      kv::Sha256 sha256;
      sha256.update(base::bytes_of(whole.substr(0, cut)));
      sha256.update(base::bytes_of(whole.substr(cut)));
      EXPECT_EQ(kv::hex_of(sha256.finish()), hex(whole)) << length << " cut at " << cut;
    }
  }
}

TEST(Digest, IsTheFirstHalfInHexadecimal) {
  kv::Digest digest = kv::digest_of(base::bytes_of("abc"));
  EXPECT_EQ(std::string(digest.data(), digest.size()), hex("abc").substr(0, 32));
}

}  // namespace
