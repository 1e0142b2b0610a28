// SPDX-License-Identifier: ISC
// tests/crypto/hex.hpp: bytes from the tables of the tests, which are in hexadecimal.

#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.hpp"

namespace hex {

using Buffer = std::vector<std::byte>;

inline Buffer from_hex(std::string_view text) {
  Buffer out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>(std::stoul(std::string(text.substr(2 * i, 2)), nullptr, 16));
  }
  return out;
}

inline std::string to_hex(base::Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : bytes) {
    out += digits[std::to_integer<unsigned>(byte) >> 4U];
    out += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  return out;
}

// Numbers that a seed determines: tests only.
class Random final : public base::Entropy {
 public:
  explicit Random(unsigned seed) : random_(seed) {}
  void fill(base::MutableBytes out) noexcept override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(random_() & 0xffU);
  }

 private:
  std::mt19937 random_;
};

}  // namespace hex
