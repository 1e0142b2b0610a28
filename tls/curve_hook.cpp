// SPDX-License-Identifier: ISC
// tls/curve_hook.cpp: mbedTLS's multiplication on curves, with libsodium's for Curve25519 and
// nettle's for P-256.
//
// cmake/mbedtls.cmake renames mbedTLS's own function where ecp.c defines it, and the inverse where
// ecdsa.c asks for one; key agreement and signatures, which are other files, then call what is
// here. Other curves (P-384, in certificates) go on to mbedTLS's. Its checks of keys and points
// stay: they are made here first.

#include <mbedtls/ecp.h>
#include <mbedtls/platform_util.h>

#include "crypto/p256.hpp"
#include "crypto/x25519.hpp"

extern "C" {
using Random = int (*)(void*, unsigned char*, size_t);
int crunch_portable_ecp_mul(mbedtls_ecp_group* group, mbedtls_ecp_point* out,
                            const mbedtls_mpi* scalar, const mbedtls_ecp_point* point,
                            Random random, void* random_context, mbedtls_ecp_restart_ctx* restart);
int crunch_ecdsa_inverse(mbedtls_mpi* gcd, mbedtls_mpi* inverse, const mbedtls_mpi* value,
                         const mbedtls_mpi* modulus);
}

namespace {

// A secret number on the stack, until the end of its scope.
template <class Bytes>
struct Secret {
  Secret() = default;
  ~Secret() { mbedtls_platform_zeroize(bytes.data(), bytes.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Bytes bytes;
};

int multiply_25519(mbedtls_ecp_point* out, const mbedtls_mpi* scalar,
                   const mbedtls_ecp_point* point) {
  Secret<crypto::X25519Bytes> k;
  crypto::X25519Bytes u;
  int failed = mbedtls_mpi_write_binary_le(scalar, k.bytes.data(), k.bytes.size());
  if (failed == 0) {
    failed = mbedtls_mpi_write_binary_le(&point->MBEDTLS_PRIVATE(X), u.data(), u.size());
  }
  if (failed != 0) return failed;
  const crypto::X25519Bytes product = crypto::x25519(k.bytes, u);
  mbedtls_mpi_free(&out->MBEDTLS_PRIVATE(Y));
  failed = mbedtls_mpi_lset(&out->MBEDTLS_PRIVATE(Z), 1);
  if (failed != 0) return failed;
  return mbedtls_mpi_read_binary_le(&out->MBEDTLS_PRIVATE(X), product.data(), product.size());
}

int multiply_p256(const mbedtls_ecp_group* group, mbedtls_ecp_point* out, const mbedtls_mpi* scalar,
                  const mbedtls_ecp_point* point) {
  const auto& x = point->MBEDTLS_PRIVATE(X);
  const auto& y = point->MBEDTLS_PRIVATE(Y);
  Secret<crypto::p256::Bytes> k;
  crypto::p256::Point p;
  int failed = mbedtls_mpi_write_binary(scalar, k.bytes.data(), k.bytes.size());
  if (failed == 0) failed = mbedtls_mpi_write_binary(&x, p.x.data(), p.x.size());
  if (failed == 0) failed = mbedtls_mpi_write_binary(&y, p.y.data(), p.y.size());
  if (failed != 0) return failed;
  const bool is_base = mbedtls_mpi_cmp_mpi(&x, &group->G.MBEDTLS_PRIVATE(X)) == 0 &&
                       mbedtls_mpi_cmp_mpi(&y, &group->G.MBEDTLS_PRIVATE(Y)) == 0;
  const crypto::p256::Point product =
      is_base ? crypto::p256::multiply_base(k.bytes) : crypto::p256::multiply(k.bytes, p);
  failed = mbedtls_mpi_read_binary(&out->MBEDTLS_PRIVATE(X), product.x.data(), product.x.size());
  if (failed == 0) {
    failed = mbedtls_mpi_read_binary(&out->MBEDTLS_PRIVATE(Y), product.y.data(), product.y.size());
  }
  if (failed != 0) return failed;
  return mbedtls_mpi_lset(&out->MBEDTLS_PRIVATE(Z), 1);
}

}  // namespace

extern "C" int mbedtls_ecp_mul_restartable(mbedtls_ecp_group* group, mbedtls_ecp_point* out,
                                           const mbedtls_mpi* scalar,
                                           const mbedtls_ecp_point* point, Random random,
                                           void* random_context, mbedtls_ecp_restart_ctx* restart) {
  const bool is_25519 = group->id == MBEDTLS_ECP_DP_CURVE25519;
  if (!is_25519 && group->id != MBEDTLS_ECP_DP_SECP256R1) {
    return crunch_portable_ecp_mul(group, out, scalar, point, random, random_context, restart);
  }
  int failed = mbedtls_ecp_check_privkey(group, scalar);
  if (failed == 0) failed = mbedtls_ecp_check_pubkey(group, point);
  if (failed != 0) return failed;
  return is_25519 ? multiply_25519(out, scalar, point) : multiply_p256(group, out, scalar, point);
}

extern "C" int mbedtls_ecp_mul(mbedtls_ecp_group* group, mbedtls_ecp_point* out,
                               const mbedtls_mpi* scalar, const mbedtls_ecp_point* point,
                               Random random, void* random_context) {
  return mbedtls_ecp_mul_restartable(group, out, scalar, point, random, random_context, nullptr);
}

// In ecdsa.c: mbedtls_mpi_gcd_modinv_odd, which may be asked for the divisor too, but is not there.
extern "C" int crunch_ecdsa_inverse(mbedtls_mpi* gcd, mbedtls_mpi* inverse,
                                    const mbedtls_mpi* value, const mbedtls_mpi* modulus) {
  crypto::p256::Bytes of;
  if (gcd != nullptr || mbedtls_mpi_cmp_int(value, 1) < 0 ||
      mbedtls_mpi_cmp_mpi(value, modulus) >= 0 ||
      mbedtls_mpi_write_binary(modulus, of.data(), of.size()) != 0 ||
      of != crypto::p256::order_bytes) {
    return mbedtls_mpi_inv_mod(inverse, value, modulus);
  }
  Secret<crypto::p256::Bytes> secret;
  Secret<crypto::p256::Bytes> inverted;
  const int failed = mbedtls_mpi_write_binary(value, secret.bytes.data(), secret.bytes.size());
  if (failed != 0) return failed;
  inverted.bytes = crypto::p256::invert_modulo_order(secret.bytes);
  return mbedtls_mpi_read_binary(inverse, inverted.bytes.data(), inverted.bytes.size());
}
