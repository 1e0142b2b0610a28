// SPDX-License-Identifier: ISC
#include "kv/digest.hpp"

// SHA256_* are "deprecated since 3.0" in favour of EVP, which fetches algorithms by name from
// providers: 150 times the code in a static image for the same compression function.
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>

#include <new>

#include "base/check.hpp"

namespace kv {

namespace {

constexpr char digits[] = "0123456789abcdef";

SHA256_CTX* context(std::byte* state) { return std::launder(reinterpret_cast<SHA256_CTX*>(state)); }

constexpr char high(std::byte byte) { return digits[std::to_integer<unsigned>(byte >> 4)]; }
constexpr char low(std::byte byte) { return digits[std::to_integer<unsigned>(byte) & 15U]; }

}  // namespace

Sha256::Sha256() noexcept {
  static_assert(sizeof(SHA256_CTX) == state_bytes && alignof(SHA256_CTX) <= 8);
  int made = SHA256_Init(new (state_.data()) SHA256_CTX);
  CHECK(made == 1);
}

void Sha256::update(Bytes bytes) noexcept {
  int taken = SHA256_Update(context(state_.data()), bytes.data(), bytes.size());
  CHECK(taken == 1);
}

Sha256Bytes Sha256::finish() noexcept {
  Sha256Bytes out;
  int made = SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), context(state_.data()));
  CHECK(made == 1);
  return out;
}

Sha256Bytes sha256_of(Bytes bytes) noexcept {
  Sha256 sha256;
  sha256.update(bytes);
  return sha256.finish();
}

Digest digest_of(Bytes bytes) noexcept { return digest_of(sha256_of(bytes)); }

Digest digest_of(const Sha256Bytes& sha256) noexcept {
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
