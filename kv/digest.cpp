// SPDX-License-Identifier: ISC
#include "kv/digest.hpp"

namespace kv {

namespace {

constexpr char digits[] = "0123456789abcdef";

constexpr char high(std::byte byte) { return digits[std::to_integer<unsigned>(byte >> 4)]; }
constexpr char low(std::byte byte) { return digits[std::to_integer<unsigned>(byte) & 15U]; }

}  // namespace

Digest digest_of(Bytes bytes) noexcept { return digest_of(crypto::sha256_of(bytes)); }

Digest digest_of(const crypto::Sha256Bytes& sha256) noexcept {
  Digest digest;
  for (std::size_t i = 0; i < digest.size() / 2; ++i) {
    digest[2 * i] = high(sha256[i]);
    digest[2 * i + 1] = low(sha256[i]);
  }
  return digest;
}

void append_hex(std::string& out, Bytes bytes) {
  out.reserve(out.size() + 2 * bytes.size());
  for (std::byte byte : bytes) {
    out += high(byte);
    out += low(byte);
  }
}

std::string hex_of(Bytes bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

}  // namespace kv
