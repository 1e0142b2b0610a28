// SPDX-License-Identifier: ISC
#include "crypto/aead.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "crypto/secret.hpp"

namespace crypto {

void Aead::forget() noexcept {
  if (auto* gcm = std::get_if<AesGcm>(&key_)) {
    base::wipe({reinterpret_cast<std::byte*>(gcm), sizeof *gcm});
  } else if (auto* chacha = std::get_if<ChaChaKey>(&key_)) {
    base::wipe(*chacha);
  }
}

void Aead::set_key(Cipher cipher, base::Bytes key, bool portable) {
  CHECK(key.size() == key_bytes(cipher));
  forget();
  if (cipher == Cipher::chacha20_poly1305) {
    std::copy(key.begin(), key.end(), key_.emplace<ChaChaKey>().begin());
  } else if (AesGcm::is_supported() && !portable) {
    key_.emplace<AesGcm>().set_key(key);
  } else {
    key_ = std::make_unique<PortableGcm>(key);
  }
}

void Aead::seal(const Nonce& nonce, base::Bytes associated, std::span<const base::Bytes> pieces,
                std::byte* out) {
  if (const auto* gcm = std::get_if<AesGcm>(&key_)) {
    const Tag tag = gcm->seal(nonce, associated, pieces, out);
    std::size_t size = 0;
    for (const base::Bytes piece : pieces) size += piece.size();
    std::copy(tag.begin(), tag.end(), out + size);
  } else if (const auto* chacha = std::get_if<ChaChaKey>(&key_)) {
    chacha20_poly1305_seal(*chacha, nonce, associated, pieces, out);
  } else {
    std::get<std::unique_ptr<PortableGcm>>(key_)->seal(nonce, associated, pieces, out);
  }
}

bool Aead::open(const Nonce& nonce, base::Bytes associated, base::Bytes sealed, std::byte* out) {
  if (sealed.size() < sizeof(Tag)) return false;
  if (const auto* gcm = std::get_if<AesGcm>(&key_)) {
    const base::Bytes content = sealed.first(sealed.size() - sizeof(Tag));
    // In place the received tag stays behind what is written.
    const Tag tag = gcm->open(nonce, associated, content, out);
    return equal_secret(tag, sealed.last(sizeof(Tag)));
  }
  if (const auto* chacha = std::get_if<ChaChaKey>(&key_)) {
    return chacha20_poly1305_open(*chacha, nonce, associated, sealed, out);
  }
  return std::get<std::unique_ptr<PortableGcm>>(key_)->open(nonce, associated, sealed, out);
}

}  // namespace crypto
