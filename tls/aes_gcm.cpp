// SPDX-License-Identifier: ISC
#include "tls/aes_gcm.hpp"

#include "base/check.hpp"

#ifdef CRUNCH_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

namespace tls {

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
    aes_gcm_precomp_256_sse(&data);
  } else {
    CHECK(key.size() == 16);
    aes_keyexp_128_enc_sse(key.data(), data.expanded_keys);
    aes_gcm_precomp_128_sse(&data);
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

}  // namespace tls
