// SPDX-License-Identifier: ISC
// tls/rsa_hook.cpp: mbedTLS signs with crypto's RSA.
//
// cmake/mbedtls.cmake renames the two functions that pk.c and pk_wrap.c call for a signature. Keys
// that crypto does not support (more than 4096 bits, primes of unequal size) go on to mbedTLS's.

#include <mbedtls/rsa.h>

#include <array>
#include <optional>

#include "crypto/rsa.hpp"
#include "crypto/secret.hpp"

extern "C" {
using Random = int (*)(void*, unsigned char*, size_t);
// In mbedTLS's library/rsa_internal.h.
int mbedtls_rsa_rsassa_pss_sign_no_mode_check(mbedtls_rsa_context* context, Random random,
                                              void* random_context, mbedtls_md_type_t hash,
                                              unsigned int digest_bytes,
                                              const unsigned char* digest,
                                              unsigned char* signature);
int crunch_rsa_pss_sign(mbedtls_rsa_context* context, Random random, void* random_context,
                        mbedtls_md_type_t hash, unsigned int digest_bytes,
                        const unsigned char* digest, unsigned char* signature);
int crunch_rsa_pkcs1_sign(mbedtls_rsa_context* context, Random random, void* random_context,
                          mbedtls_md_type_t hash, unsigned int digest_bytes,
                          const unsigned char* digest, unsigned char* signature);
}

namespace {

std::optional<crypto::Hash> hash_of(mbedtls_md_type_t type) {
  switch (type) {
    case MBEDTLS_MD_SHA256:
      return crypto::Hash::sha256;
    case MBEDTLS_MD_SHA384:
      return crypto::Hash::sha384;
    case MBEDTLS_MD_SHA512:
      return crypto::Hash::sha512;
    default:
      return {};
  }
}

// mbedTLS's random generator as a base::Entropy, which never fails; this one remembers that it did.
class Generator final : public base::Entropy {
 public:
  Generator(Random random, void* context) : random_(random), context_(context) {}
  void fill(base::MutableBytes out) noexcept override {
    const int failed = random_(context_, reinterpret_cast<unsigned char*>(out.data()), out.size());
    if (failed != 0) failed_ = failed;
  }
  [[nodiscard]] int failed() const { return failed_; }

 private:
  Random random_;
  void* context_;
  int failed_ = 0;
};

// The numbers of a key as bytes, one after another, wiped afterwards.
class Key {
 public:
  explicit Key(const mbedtls_rsa_context& context) {
    const std::size_t size = mbedtls_mpi_size(&context.MBEDTLS_PRIVATE(N));
    if (size > crypto::RsaKey::modulus_bytes_max) return;
    const std::size_t half = size / 2;
    good_ = true;
    key_ = {put(context.MBEDTLS_PRIVATE(N), size),
            put(context.MBEDTLS_PRIVATE(E), mbedtls_mpi_size(&context.MBEDTLS_PRIVATE(E))),
            put(context.MBEDTLS_PRIVATE(P), half),
            put(context.MBEDTLS_PRIVATE(Q), half),
            put(context.MBEDTLS_PRIVATE(DP), half),
            put(context.MBEDTLS_PRIVATE(DQ), half),
            put(context.MBEDTLS_PRIVATE(QP), half)};
  }
  [[nodiscard]] bool is_supported() const { return good_ && key_.is_supported(); }
  [[nodiscard]] const crypto::RsaKey& get() const { return key_; }

 private:
  base::Bytes put(const mbedtls_mpi& number, std::size_t size) {
    auto* const at = room_.value.data() + used_;
    if (size > room_.value.size() - used_ ||
        mbedtls_mpi_write_binary(&number, reinterpret_cast<unsigned char*>(at), size) != 0) {
      good_ = false;
      return {};
    }
    used_ += size;
    return {at, size};
  }

  crypto::Wiped<std::array<std::byte, 5 * crypto::RsaKey::modulus_bytes_max>> room_;
  std::size_t used_ = 0;
  bool good_ = false;
  crypto::RsaKey key_;
};

using Sign = decltype(&mbedtls_rsa_pkcs1_sign);

int sign(crypto::RsaPadding padding, Sign otherwise, mbedtls_rsa_context* context, Random random,
         void* random_context, mbedtls_md_type_t type, unsigned int digest_bytes,
         const unsigned char* digest, unsigned char* signature) {
  const Key key(*context);
  const std::optional<crypto::Hash> hash = hash_of(type);
  // A PSS signature may be asked for whatever padding the key's context has: TLS 1.3 does.
  const bool is_padding_right = padding == crypto::RsaPadding::pss ||
                                context->MBEDTLS_PRIVATE(padding) == MBEDTLS_RSA_PKCS_V15;
  if (random == nullptr || !hash || !is_padding_right || !key.is_supported() ||
      digest_bytes != crypto::hash_bytes(*hash)) {
    return otherwise(context, random, random_context, type, digest_bytes, digest, signature);
  }
  Generator generator(random, random_context);
  const bool good = crypto::rsa_sign(
      key.get(), padding, *hash, {reinterpret_cast<const std::byte*>(digest), digest_bytes},
      generator, {reinterpret_cast<std::byte*>(signature), key.get().modulus.size()});
  if (good && generator.failed() == 0) return 0;
  base::wipe({reinterpret_cast<std::byte*>(signature), key.get().modulus.size()});
  return generator.failed() != 0 ? generator.failed() : MBEDTLS_ERR_RSA_PRIVATE_FAILED;
}

}  // namespace

int crunch_rsa_pss_sign(mbedtls_rsa_context* context, Random random, void* random_context,
                        mbedtls_md_type_t hash, unsigned int digest_bytes,
                        const unsigned char* digest, unsigned char* signature) {
  return sign(crypto::RsaPadding::pss, mbedtls_rsa_rsassa_pss_sign_no_mode_check, context, random,
              random_context, hash, digest_bytes, digest, signature);
}

int crunch_rsa_pkcs1_sign(mbedtls_rsa_context* context, Random random, void* random_context,
                          mbedtls_md_type_t hash, unsigned int digest_bytes,
                          const unsigned char* digest, unsigned char* signature) {
  return sign(crypto::RsaPadding::pkcs1, mbedtls_rsa_pkcs1_sign, context, random, random_context,
              hash, digest_bytes, digest, signature);
}
