// SPDX-License-Identifier: ISC
#include "crypto/ecdsa.hpp"

#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>

#include <algorithm>
#include <span>

#include "base/check.hpp"
#include "crypto/gmp.hpp"
#include "crypto/hash.hpp"
#include "crypto/secret.hpp"

namespace crypto {
namespace {

void fill(void* entropy, std::size_t size, std::uint8_t* out) {
  static_cast<base::Entropy*>(entropy)->fill(std::as_writable_bytes(std::span(out, size)));
}

void write(const mpz_t number, std::span<std::uint8_t> out) {
  std::array<mp_limb_t, 4> limbs;
  for (std::size_t i = 0; i < limbs.size(); ++i) {
    limbs[i] = mpz_getlimbn(number, static_cast<mp_size_t>(i));
  }
  to_bytes(limbs.data(), out);
}

}  // namespace

bool is_p256_secret(const P256::Bytes& secret) noexcept {
  return secret != P256::Bytes{} && secret < P256::order;
}

P256::Bytes make_p256_secret(base::Entropy& entropy) noexcept {
  P256::Bytes secret;
  do {
    entropy.fill(std::as_writable_bytes(std::span(secret)));
  } while (!is_p256_secret(secret));  // once in 2^32
  return secret;
}

P256Signature ecdsa_p256_sign(const P256::Bytes& secret, base::Bytes message,
                              base::Entropy& entropy) noexcept {
  const Sha256Bytes digest = sha256_of(message);
  const Arena arena;
  Wiped<std::array<mp_limb_t, 4>> limbs;
  to_limbs(secret, limbs.value.data());
  mpz_t view;
  ecc_scalar key;
  ecc_scalar_init(&key, nettle_get_secp_256r1());
  CHECK(ecc_scalar_set(&key, mpz_roinit_n(view, limbs.value.data(), limbs.value.size())) == 1);
  dsa_signature made;
  dsa_signature_init(&made);
  ecdsa_sign(&key, &entropy, fill, digest.size(),
             reinterpret_cast<const std::uint8_t*>(digest.data()), &made);
  P256Signature signature;
  write(made.r, std::span(signature).first(32));
  write(made.s, std::span(signature).last(32));
  dsa_signature_clear(&made);
  ecc_scalar_clear(&key);
  return signature;
}

}  // namespace crypto
