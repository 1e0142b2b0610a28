// SPDX-License-Identifier: ISC
// tls/curve_hook.cpp: mbedTLS multiplies on Curve25519, P-256 and P-384 with crypto's functions.
//
// cmake/mbedtls.cmake renames mbedTLS's own function where ecp.c defines it, and the inverse where
// ecdsa.c asks for one; key agreement and signatures, which are other files, then call what is
// here. mbedTLS's checks of keys and points stay: they are made here first.

#include <mbedtls/ecp.h>

#include "crypto/nist_curves.hpp"
#include "crypto/secret.hpp"
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

int multiply_25519(mbedtls_ecp_point* out, const mbedtls_mpi* scalar,
                   const mbedtls_ecp_point* point) {
  crypto::Wiped<crypto::X25519Bytes> k;
  crypto::X25519Bytes u;
  int failed = mbedtls_mpi_write_binary_le(scalar, k.value.data(), k.value.size());
  if (failed == 0) {
    failed = mbedtls_mpi_write_binary_le(&point->MBEDTLS_PRIVATE(X), u.data(), u.size());
  }
  if (failed != 0) return failed;
  const crypto::X25519Bytes product = crypto::x25519(k.value, u);
  mbedtls_mpi_free(&out->MBEDTLS_PRIVATE(Y));
  failed = mbedtls_mpi_lset(&out->MBEDTLS_PRIVATE(Z), 1);
  if (failed != 0) return failed;
  return mbedtls_mpi_read_binary_le(&out->MBEDTLS_PRIVATE(X), product.data(), product.size());
}

template <class Curve>
int multiply(const mbedtls_ecp_group* group, mbedtls_ecp_point* out, const mbedtls_mpi* scalar,
             const mbedtls_ecp_point* point) {
  const auto& x = point->MBEDTLS_PRIVATE(X);
  const auto& y = point->MBEDTLS_PRIVATE(Y);
  crypto::Wiped<typename Curve::Bytes> k;
  typename Curve::Point p;
  int failed = mbedtls_mpi_write_binary(scalar, k.value.data(), k.value.size());
  if (failed == 0) failed = mbedtls_mpi_write_binary(&x, p.x.data(), p.x.size());
  if (failed == 0) failed = mbedtls_mpi_write_binary(&y, p.y.data(), p.y.size());
  if (failed != 0) return failed;
  const bool is_base = mbedtls_mpi_cmp_mpi(&x, &group->G.MBEDTLS_PRIVATE(X)) == 0 &&
                       mbedtls_mpi_cmp_mpi(&y, &group->G.MBEDTLS_PRIVATE(Y)) == 0;
  const typename Curve::Point product =
      is_base ? Curve::multiply_base(k.value) : Curve::multiply(k.value, p);
  failed = mbedtls_mpi_read_binary(&out->MBEDTLS_PRIVATE(X), product.x.data(), product.x.size());
  if (failed == 0) {
    failed = mbedtls_mpi_read_binary(&out->MBEDTLS_PRIVATE(Y), product.y.data(), product.y.size());
  }
  if (failed != 0) return failed;
  return mbedtls_mpi_lset(&out->MBEDTLS_PRIVATE(Z), 1);
}

// The inverse modulo the curve's order, if `modulus` is that and the value is in its range.
template <class Curve>
bool invert(mbedtls_mpi* inverse, const mbedtls_mpi* value, const mbedtls_mpi* modulus,
            int& failed) {
  typename Curve::Bytes of;
  if (mbedtls_mpi_size(modulus) != of.size() ||
      mbedtls_mpi_write_binary(modulus, of.data(), of.size()) != 0 || of != Curve::order) {
    return false;
  }
  crypto::Wiped<typename Curve::Bytes> secret;
  crypto::Wiped<typename Curve::Bytes> inverted;
  failed = mbedtls_mpi_write_binary(value, secret.value.data(), secret.value.size());
  if (failed != 0) return true;
  inverted.value = Curve::invert_modulo_order(secret.value);
  failed = mbedtls_mpi_read_binary(inverse, inverted.value.data(), inverted.value.size());
  return true;
}

}  // namespace

extern "C" int mbedtls_ecp_mul_restartable(mbedtls_ecp_group* group, mbedtls_ecp_point* out,
                                           const mbedtls_mpi* scalar,
                                           const mbedtls_ecp_point* point, Random random,
                                           void* random_context, mbedtls_ecp_restart_ctx* restart) {
  const mbedtls_ecp_group_id id = group->id;
  if (id != MBEDTLS_ECP_DP_CURVE25519 && id != MBEDTLS_ECP_DP_SECP256R1 &&
      id != MBEDTLS_ECP_DP_SECP384R1) {
    return crunch_portable_ecp_mul(group, out, scalar, point, random, random_context, restart);
  }
  int failed = mbedtls_ecp_check_privkey(group, scalar);
  if (failed == 0) failed = mbedtls_ecp_check_pubkey(group, point);
  if (failed != 0) return failed;
  if (id == MBEDTLS_ECP_DP_CURVE25519) return multiply_25519(out, scalar, point);
  return id == MBEDTLS_ECP_DP_SECP256R1 ? multiply<crypto::P256>(group, out, scalar, point)
                                        : multiply<crypto::P384>(group, out, scalar, point);
}

extern "C" int mbedtls_ecp_mul(mbedtls_ecp_group* group, mbedtls_ecp_point* out,
                               const mbedtls_mpi* scalar, const mbedtls_ecp_point* point,
                               Random random, void* random_context) {
  return mbedtls_ecp_mul_restartable(group, out, scalar, point, random, random_context, nullptr);
}

// In ecdsa.c: mbedtls_mpi_gcd_modinv_odd, which may be asked for the divisor too, but is not there.
extern "C" int crunch_ecdsa_inverse(mbedtls_mpi* gcd, mbedtls_mpi* inverse,
                                    const mbedtls_mpi* value, const mbedtls_mpi* modulus) {
  int failed = 0;
  if (gcd == nullptr && mbedtls_mpi_cmp_int(value, 1) >= 0 &&
      mbedtls_mpi_cmp_mpi(value, modulus) < 0 &&
      (invert<crypto::P256>(inverse, value, modulus, failed) ||
       invert<crypto::P384>(inverse, value, modulus, failed))) {
    return failed;
  }
  return mbedtls_mpi_inv_mod(inverse, value, modulus);
}
