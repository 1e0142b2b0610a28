// SPDX-License-Identifier: ISC
#include "tls/primitives.hpp"

#include <mbedtls/chachapoly.h>
#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"

extern "C" {
#include <mbedtls/constant_time.h>  // the only one of its headers that does not say so itself
}

namespace tls {
namespace {

const unsigned char* u8(base::Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* u8(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* u8(const Nonce& nonce) {
  return reinterpret_cast<const unsigned char*>(nonce.data());
}

}  // namespace

void expand_label(Hash hash, base::Bytes secret, std::string_view label, base::MutableBytes out) {
  // struct HkdfLabel.
  std::array<unsigned char, 64> info;
  std::size_t size = 0;
  auto put = [&](std::size_t byte) { info[size++] = static_cast<unsigned char>(byte); };
  put(out.size() >> 8);
  put(out.size() & 0xff);
  put(6 + label.size());
  for (const char c : std::string_view("tls13 ")) put(static_cast<unsigned char>(c));
  for (const char c : label) put(static_cast<unsigned char>(c));
  put(0);
  const auto* kind =
      mbedtls_md_info_from_type(hash == Hash::sha256 ? MBEDTLS_MD_SHA256 : MBEDTLS_MD_SHA384);
  const int failed = mbedtls_hkdf_expand(kind, u8(secret), secret.size(), info.data(), size,
                                         u8(out.data()), out.size());
  CHECK(failed == 0);
}

namespace {

// mbedTLS wants the tag apart from the data that it authenticates while decrypting.
bool chacha20(base::Bytes key, const Nonce& nonce, base::Bytes associated,
              std::span<const base::Bytes> pieces, std::byte* out, Tag& tag,
              mbedtls_chachapoly_mode_t mode) {
  mbedtls_chachapoly_context context;
  mbedtls_chachapoly_init(&context);
  bool good = mbedtls_chachapoly_setkey(&context, u8(key)) == 0 &&
              mbedtls_chachapoly_starts(&context, u8(nonce), mode) == 0 &&
              mbedtls_chachapoly_update_aad(&context, u8(associated), associated.size()) == 0;
  for (const base::Bytes piece : pieces) {
    if (piece.empty()) continue;
    good = good && mbedtls_chachapoly_update(&context, piece.size(), u8(piece), u8(out)) == 0;
    out += piece.size();
  }
  good = good && mbedtls_chachapoly_finish(&context, u8(tag.data())) == 0;
  mbedtls_chachapoly_free(&context);
  return good;
}

std::size_t total_of(std::span<const base::Bytes> pieces) {
  std::size_t total = 0;
  for (const base::Bytes piece : pieces) total += piece.size();
  return total;
}

}  // namespace

void chacha20_seal(base::Bytes key, const Nonce& nonce, base::Bytes associated,
                   std::span<const base::Bytes> pieces, std::byte* out) {
  Tag tag;
  const bool good = chacha20(key, nonce, associated, pieces, out, tag, MBEDTLS_CHACHAPOLY_ENCRYPT);
  CHECK(good);
  std::copy(tag.begin(), tag.end(), out + total_of(pieces));
}

bool chacha20_open(base::Bytes key, const Nonce& nonce, base::Bytes associated, base::Bytes sealed,
                   std::byte* out) {
  if (sealed.size() < sizeof(Tag)) return false;
  const base::Bytes content = sealed.first(sealed.size() - sizeof(Tag));
  Tag tag;
  const std::array pieces{content};
  // In place the received tag stays behind what is written.
  return chacha20(key, nonce, associated, pieces, out, tag, MBEDTLS_CHACHAPOLY_DECRYPT) &&
         equal_secret(tag, sealed.last(sizeof(Tag)));
}

struct PortableGcm::State {
  mbedtls_gcm_context context;
};

PortableGcm::PortableGcm(base::Bytes key) : state_(std::make_unique<State>()) {
  mbedtls_gcm_init(&state_->context);
  const int failed = mbedtls_gcm_setkey(&state_->context, MBEDTLS_CIPHER_ID_AES, u8(key),
                                        static_cast<unsigned>(key.size() * 8));
  CHECK(failed == 0);
}

PortableGcm::~PortableGcm() { mbedtls_gcm_free(&state_->context); }

namespace {

bool gcm(mbedtls_gcm_context& context, int mode, const Nonce& nonce, base::Bytes associated,
         std::span<const base::Bytes> pieces, std::byte* out, Tag& tag) {
  bool good = mbedtls_gcm_starts(&context, mode, u8(nonce), nonce.size()) == 0 &&
              mbedtls_gcm_update_ad(&context, u8(associated), associated.size()) == 0;
  std::size_t written = 0;
  for (const base::Bytes piece : pieces) {
    if (piece.empty()) continue;
    good = good && mbedtls_gcm_update(&context, u8(piece), piece.size(), u8(out), piece.size(),
                                      &written) == 0;
    out += piece.size();
  }
  return good &&
         mbedtls_gcm_finish(&context, nullptr, 0, &written, u8(tag.data()), tag.size()) == 0;
}

}  // namespace

void PortableGcm::seal(const Nonce& nonce, base::Bytes associated,
                       std::span<const base::Bytes> pieces, std::byte* out) {
  Tag tag;
  const bool good = gcm(state_->context, MBEDTLS_GCM_ENCRYPT, nonce, associated, pieces, out, tag);
  CHECK(good);
  std::copy(tag.begin(), tag.end(), out + total_of(pieces));
}

bool PortableGcm::open(const Nonce& nonce, base::Bytes associated, base::Bytes sealed,
                       std::byte* out) {
  if (sealed.size() < sizeof(Tag)) return false;
  Tag tag;
  const std::array pieces{sealed.first(sealed.size() - sizeof(Tag))};
  return gcm(state_->context, MBEDTLS_GCM_DECRYPT, nonce, associated, pieces, out, tag) &&
         equal_secret(tag, sealed.last(sizeof(Tag)));
}

void wipe(base::MutableBytes bytes) noexcept {
  mbedtls_platform_zeroize(bytes.data(), bytes.size());
}

bool equal_secret(base::Bytes a, base::Bytes b) noexcept {
  return a.size() == b.size() && mbedtls_ct_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tls
