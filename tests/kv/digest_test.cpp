// SPDX-License-Identifier: ISC
// tests/kv/digest_test.cpp: the short digest of stores. (SHA-256 itself: tests/crypto.)

#include "kv/digest.hpp"

#include <gtest/gtest.h>

namespace {

constexpr std::string_view sha256_of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, IsTheFirstHalfInHexadecimal) {
  kv::Digest digest = kv::digest_of(base::bytes_of("abc"));
  EXPECT_EQ(std::string_view(digest.data(), digest.size()), sha256_of_abc.substr(0, 32));
}

TEST(Digest, HexadecimalIsAppended) {
  std::string text = "x";
  kv::append_hex(text, crypto::sha256_of(base::bytes_of("abc")));
  EXPECT_EQ(text, "x" + std::string(sha256_of_abc));
  EXPECT_EQ(kv::hex_of({}), "");
}

}  // namespace
