// SPDX-License-Identifier: ISC
// crypto/chacha20_poly1305.cpp: nettle does the work.
#include "crypto/chacha20_poly1305.hpp"

#include <algorithm>

#include <nettle/chacha-poly1305.h>

#include "base/check.hpp"
#include "crypto/secret.hpp"

namespace crypto {
namespace {

const std::uint8_t* u8(const std::byte* at) { return reinterpret_cast<const std::uint8_t*>(at); }
std::uint8_t* u8(std::byte* at) { return reinterpret_cast<std::uint8_t*>(at); }

// One message's cipher, wiped afterwards.
struct Message {
  Message(base::Bytes key, const Nonce& nonce, base::Bytes associated) {
    CHECK(key.size() == CHACHA_POLY1305_KEY_SIZE);
    chacha_poly1305_set_key(&context, u8(key.data()));
    chacha_poly1305_set_nonce(&context, u8(nonce.data()));
    chacha_poly1305_update(&context, associated.size(), u8(associated.data()));
  }
  ~Message() { base::wipe({reinterpret_cast<std::byte*>(&context), sizeof context}); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  Tag tag() {
    Tag out;
    chacha_poly1305_digest(&context, out.size(), u8(out.data()));
    return out;
  }
  chacha_poly1305_ctx context;
};

}  // namespace

void chacha20_poly1305_seal(base::Bytes key, const Nonce& nonce, base::Bytes associated,
                            std::span<const base::Bytes> pieces, std::byte* out) noexcept {
  Message message(key, nonce, associated);
  const base::MutableBytes all = joined(pieces, out);
  chacha_poly1305_encrypt(&message.context, all.size(), u8(out), u8(out));
  const Tag tag = message.tag();
  std::copy(tag.begin(), tag.end(), out + all.size());
}

bool chacha20_poly1305_open(base::Bytes key, const Nonce& nonce, base::Bytes associated,
                            base::Bytes sealed, std::byte* out) noexcept {
  if (sealed.size() < sizeof(Tag)) return false;
  Message message(key, nonce, associated);
  // In place the received tag stays behind what is written.
  chacha_poly1305_decrypt(&message.context, sealed.size() - sizeof(Tag), u8(out),
                          u8(sealed.data()));
  return equal_secret(message.tag(), sealed.last(sizeof(Tag)));
}

}  // namespace crypto
