// SPDX-License-Identifier: ISC
// crypto/ed25519.cpp: nettle does the work.
#include "crypto/ed25519.hpp"

#include <cstdint>

#include <nettle/eddsa.h>

#include "crypto/gmp.hpp"

namespace crypto {
namespace {

const std::uint8_t* u8(const std::byte* at) { return reinterpret_cast<const std::uint8_t*>(at); }
std::uint8_t* u8(std::byte* at) { return reinterpret_cast<std::uint8_t*>(at); }

}  // namespace

Ed25519Key ed25519_public_key(const Ed25519Key& private_key) {
  const Arena arena;
  Ed25519Key out;
  ed25519_sha512_public_key(u8(out.data()), u8(private_key.data()));
  return out;
}

Ed25519Signature ed25519_sign(const Ed25519Key& private_key, base::Bytes message) {
  const Ed25519Key public_key = ed25519_public_key(private_key);
  const Arena arena;
  Ed25519Signature out;
  ed25519_sha512_sign(u8(public_key.data()), u8(private_key.data()), message.size(),
                      u8(message.data()), u8(out.data()));
  return out;
}

bool ed25519_verify(const Ed25519Key& public_key, base::Bytes message,
                    const Ed25519Signature& signature) {
  const Arena arena;
  return ed25519_sha512_verify(u8(public_key.data()), message.size(), u8(message.data()),
                               u8(signature.data())) == 1;
}

}  // namespace crypto
