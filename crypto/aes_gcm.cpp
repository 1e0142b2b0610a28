// SPDX-License-Identifier: ISC
#include "crypto/aes_gcm.hpp"

#include <algorithm>

#include "base/check.hpp"

#ifdef CRUNCH_IPSEC_MB
#include <intel-ipsec-mb.h>
#include <wmmintrin.h>

#include <cstring>
#endif

namespace crypto {

base::MutableBytes joined(std::span<const base::Bytes> pieces, std::byte* out) noexcept {
  std::byte* end = out;
  for (const base::Bytes piece : pieces) end = std::copy(piece.begin(), piece.end(), end);
  return {out, end};
}

#ifdef CRUNCH_IPSEC_MB

namespace {

const std::uint8_t* u8(base::Bytes bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
std::uint8_t* u8(std::byte* at) { return reinterpret_cast<std::uint8_t*>(at); }

static_assert(sizeof(gcm_key_data) <= 1024 && alignof(gcm_key_data) <= 64);

gcm_key_data& data_of(std::array<std::byte, 1024>& bytes) {
  return *reinterpret_cast<gcm_key_data*>(bytes.data());
}
const gcm_key_data& data_of(const std::array<std::byte, 1024>& bytes) {
  return *reinterpret_cast<const gcm_key_data*>(bytes.data());
}

// What the library's aes_gcm_precomp_*_sse do. They lie in objects of 110 KiB each, with much else
// that nothing here needs, and this is a thousandth of a handshake.

// A block as a number: its first bit, which is the coefficient of x^0, is the most significant.
using Block = unsigned __int128;

// The hash's key: the cipher of a block of zeros.
[[gnu::target("aes,ssse3")]] Block hash_key(const gcm_key_data& data, std::size_t rounds) {
  auto round_key = [&data](std::size_t i) {
    __m128i key;
    std::memcpy(&key, data.expanded_keys + 16 * i, sizeof key);
    return key;
  };
  __m128i block = round_key(0);
  for (std::size_t i = 1; i < rounds; ++i) block = _mm_aesenc_si128(block, round_key(i));
  block = _mm_aesenclast_si128(block, round_key(rounds));
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &block, sizeof block);
  Block number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

// SP 800-38D section 6.3, without a branch on what is secret.
Block multiply(Block x, Block y) {
  constexpr Block reduction = Block{0xe1} << 120;
  Block product = 0;
  for (int i = 127; i >= 0; --i) {
    product ^= y & (0 - (x >> i & 1));
    y = y >> 1 ^ (reduction & (0 - (y & 1)));
  }
  return product;
}

// The key's powers 8 to 1, each shifted by one bit as carry-less multiplication wants it; then, for
// the powers 1 to 8, the sum of the halves of each, twice.
void precompute(gcm_key_data& data, std::size_t rounds) {
  constexpr Block polynomial = Block{0xc200000000000000} << 64 | 1;
  const Block key = hash_key(data, rounds);
  Block power = key;
  for (std::size_t i = 8; i-- > 0;) {
    const Block shifted = power << 1 ^ (polynomial & (0 - (power >> 127)));
    const auto halves = static_cast<std::uint64_t>(shifted >> 64 ^ shifted);
    const Block twice = Block{halves} << 64 | halves;
    std::memcpy(data.ghash_keys.sse_avx.shifted_hkey + 16 * i, &shifted, sizeof shifted);
    std::memcpy(data.ghash_keys.sse_avx.shifted_hkey_k + 16 * (7 - i), &twice, sizeof twice);
    power = multiply(power, key);
  }
}

}  // namespace

bool AesGcm::is_supported() noexcept {
  static const bool supported = __builtin_cpu_supports("aes") != 0 &&
                                __builtin_cpu_supports("pclmul") != 0 &&
                                __builtin_cpu_supports("sse4.1") != 0;
  return supported;
}

void AesGcm::set_key(base::Bytes key) noexcept {
  gcm_key_data& data = data_of(expanded_);
  is_256_ = key.size() == 32;
  if (is_256_) {
    aes_keyexp_256_enc_sse(key.data(), data.expanded_keys);
    precompute(data, 14);
  } else {
    CHECK(key.size() == 16);
    aes_keyexp_128_enc_sse(key.data(), data.expanded_keys);
    precompute(data, 10);
  }
}

Tag AesGcm::seal(const Nonce& nonce, base::Bytes associated, std::span<const base::Bytes> pieces,
                 std::byte* out) const noexcept {
  const gcm_key_data& data = data_of(expanded_);
  gcm_context_data context;
  const auto init = is_256_ ? aes_gcm_init_256_sse : aes_gcm_init_128_sse;
  const auto update = is_256_ ? aes_gcm_enc_256_update_sse : aes_gcm_enc_128_update_sse;
  const auto finalize = is_256_ ? aes_gcm_enc_256_finalize_sse : aes_gcm_enc_128_finalize_sse;
  init(&data, &context, u8(nonce), u8(associated), associated.size());
  for (const base::Bytes piece : pieces) {
    if (piece.empty()) continue;
    update(&data, &context, u8(out), u8(piece), piece.size());
    out += piece.size();
  }
  Tag tag;
  finalize(&data, &context, u8(tag.data()), tag.size());
  return tag;
}

Tag AesGcm::open(const Nonce& nonce, base::Bytes associated, base::Bytes ciphertext,
                 std::byte* out) const noexcept {
  const gcm_key_data& data = data_of(expanded_);
  gcm_context_data context;
  const auto init = is_256_ ? aes_gcm_init_256_sse : aes_gcm_init_128_sse;
  const auto update = is_256_ ? aes_gcm_dec_256_update_sse : aes_gcm_dec_128_update_sse;
  const auto finalize = is_256_ ? aes_gcm_dec_256_finalize_sse : aes_gcm_dec_128_finalize_sse;
  init(&data, &context, u8(nonce), u8(associated), associated.size());
  if (!ciphertext.empty()) update(&data, &context, u8(out), u8(ciphertext), ciphertext.size());
  Tag tag;
  finalize(&data, &context, u8(tag.data()), tag.size());
  return tag;
}

#else

bool AesGcm::is_supported() noexcept { return false; }
void AesGcm::set_key(base::Bytes) noexcept { CHECK(is_supported()); }
Tag AesGcm::seal(const Nonce&, base::Bytes, std::span<const base::Bytes>,
                 std::byte*) const noexcept {
  CHECK(is_supported());
  return {};
}
Tag AesGcm::open(const Nonce&, base::Bytes, base::Bytes, std::byte*) const noexcept {
  CHECK(is_supported());
  return {};
}

#endif

}  // namespace crypto
