// SPDX-License-Identifier: ISC
#include "tls/primitives.hpp"

#include <mbedtls/chachapoly.h>
#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include <algorithm>
#include <array>
#include <new>

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

namespace {

// mbedTLS's digests by their own names: by way of its md layer each would allocate, which may fail.
class Digest {
 public:
  explicit Digest(Hash hash) : hash_(hash) {
    mbedtls_sha256_init(&sha256_);
    mbedtls_sha512_init(&sha512_);
    CHECK((is_256() ? mbedtls_sha256_starts(&sha256_, 0) : mbedtls_sha512_starts(&sha512_, 1)) ==
          0);
  }
  ~Digest() {
    mbedtls_sha256_free(&sha256_);
    mbedtls_sha512_free(&sha512_);
  }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(base::Bytes bytes) {
    CHECK((is_256() ? mbedtls_sha256_update(&sha256_, u8(bytes), bytes.size())
                    : mbedtls_sha512_update(&sha512_, u8(bytes), bytes.size())) == 0);
  }
  // 64 bytes of room, of which hash_bytes(hash) are the digest.
  void finish(std::array<std::byte, 64>& out) {
    CHECK((is_256() ? mbedtls_sha256_finish(&sha256_, u8(out.data()))
                    : mbedtls_sha512_finish(&sha512_, u8(out.data()))) == 0);
  }

 private:
  [[nodiscard]] bool is_256() const { return hash_ == Hash::sha256; }
  Hash hash_;
  mbedtls_sha256_context sha256_;
  mbedtls_sha512_context sha512_;
};

// RFC 2104; the key is at most one block.
void hmac(Hash hash, base::Bytes key, base::Bytes message, std::array<std::byte, 64>& out) {
  constexpr std::size_t block_bytes_max = 128;
  const std::size_t block_bytes = hash == Hash::sha256 ? 64 : block_bytes_max;
  CHECK(key.size() <= block_bytes);
  std::array<std::byte, block_bytes_max> block{};
  auto pad = [&](std::byte with) {
    block.fill(with);
    for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
    return base::Bytes(block).first(block_bytes);
  };
  Digest inner(hash);
  inner.add(pad(std::byte{0x36}));
  inner.add(message);
  inner.finish(out);
  Digest outer(hash);
  outer.add(pad(std::byte{0x5c}));
  outer.add(base::Bytes(out).first(hash_bytes(hash)));
  outer.finish(out);
  wipe(block);
}

}  // namespace

void expand_label(Hash hash, base::Bytes secret, std::string_view label, base::MutableBytes out) {
  // One block of HKDF-Expand: struct HkdfLabel, then the block's number (RFC 5869 section 2.3).
  CHECK(out.size() <= hash_bytes(hash));
  std::array<std::byte, 64> info;
  std::size_t size = 0;
  auto put = [&](std::size_t byte) { info[size++] = static_cast<std::byte>(byte); };
  put(out.size() >> 8);
  put(out.size() & 0xff);
  put(6 + label.size());
  for (const char c : std::string_view("tls13 ")) put(static_cast<unsigned char>(c));
  for (const char c : label) put(static_cast<unsigned char>(c));
  put(0);
  put(1);
  std::array<std::byte, 64> block;
  hmac(hash, secret, base::Bytes(info).first(size), block);
  std::copy_n(block.begin(), out.size(), out.begin());
  wipe(block);
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
  if (failed == 0) return;
  mbedtls_gcm_free(&state_->context);
  throw std::bad_alloc();  // the one thing that can be wrong with a key of a right size
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
