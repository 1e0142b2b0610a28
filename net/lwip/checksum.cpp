// SPDX-License-Identifier: ISC
#include "net/lwip/checksum.hpp"

#include <bit>
#include <cstring>

namespace net::lwip {

namespace {

static_assert(std::endian::native == std::endian::little);

std::uint64_t load(const std::byte* at, std::size_t bytes = 8) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, bytes);
  return word;
}

}  // namespace

std::uint16_t checksum(base::Bytes bytes) noexcept {
  // 32-bit words into 64-bit sums: no carry can be lost in less than 2^32 of them, and the compiler
  // sees that they are independent.
  std::uint64_t even = 0;
  std::uint64_t odd = 0;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 32; left -= 32, at += 32) {
    for (std::size_t i = 0; i < 32; i += 8) {
      const std::uint64_t word = load(at + i);
      even += word & 0xffff'ffffU;
      odd += word >> 32U;
    }
  }
  for (; left >= 4; left -= 4, at += 4) even += load(at, 4);
  if (left > 0) even += load(at, left);
  std::uint64_t sum = (even & 0xffff'ffffU) + (even >> 32U) + (odd & 0xffff'ffffU) + (odd >> 32U);
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}

std::uint64_t siphash(const HashKey& key, base::Bytes bytes) noexcept {
  std::uint64_t v0 = key[0] ^ 0x736f6d6570736575U;
  std::uint64_t v1 = key[1] ^ 0x646f72616e646f6dU;
  std::uint64_t v2 = key[0] ^ 0x6c7967656e657261U;
  std::uint64_t v3 = key[1] ^ 0x7465646279746573U;
  auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32) + v3;
      v2 += v1;
      v3 = std::rotl(v3, 21) ^ v0;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  };
  auto take = [&](std::uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  };
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) take(load(at));
  take(load(at, left) | (std::uint64_t{bytes.size()} << 56U));
  v2 ^= 0xffU;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace net::lwip
