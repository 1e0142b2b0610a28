// SPDX-License-Identifier: ISC
// tests/tls/key_schedule_test.cpp: keys from secrets, against the trace of RFC 8448.

#include "tls/key_schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace {

TEST(KeySchedule, ExpandLabelGivesTheKeysOfRfc8448) {
  // RFC 8448 section 3: {server} derive write traffic keys for handshake data.
  const std::array<unsigned char, 32> secret{0xb6, 0x7b, 0x7d, 0x69, 0x0c, 0xc1, 0x6c, 0x4e,
                                             0x75, 0xe5, 0x42, 0x13, 0xcb, 0x2d, 0x37, 0xb4,
                                             0xe9, 0xc9, 0x12, 0xbc, 0xde, 0xd9, 0x10, 0x5d,
                                             0x42, 0xbe, 0xfd, 0x59, 0xd3, 0x91, 0xad, 0x38};
  const std::array<unsigned char, 16> key{0x3f, 0xce, 0x51, 0x60, 0x09, 0xc2, 0x17, 0x27,
                                          0xd0, 0xf2, 0xe4, 0xe8, 0x6e, 0xe4, 0x03, 0xbc};
  std::array<std::byte, 16> got;
  tls::expand_label(crypto::Hash::sha256, std::as_bytes(std::span(secret)), "key", got);
  EXPECT_TRUE(std::ranges::equal(got, std::as_bytes(std::span(key))));
}

}  // namespace
