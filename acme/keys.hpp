// SPDX-License-Identifier: ISC
// acme/keys.hpp: keys of accounts and certificates, and what is signed with them.
//
// States:  Key, certificate_request, challenge_certificate, certificate_id.
// Source:  RFC 5915, RFC 7638, RFC 2986, RFC 5280, RFC 8737 section 3, RFC 9773 section 4.1.
// Owns:    the secret of a key, which it wipes.   May include: base, crypto, acme/text.hpp.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/nist_curves.hpp"
#include "crypto/secret.hpp"

namespace acme {

// A key pair on P-256.
class Key {
 public:
  [[nodiscard]] static Key make(base::Entropy& entropy);
  // Nothing: it is not what pem() made.
  [[nodiscard]] static std::optional<Key> from_pem(std::string_view pem);
  Key(const Key& other) noexcept { *this = other; }
  Key& operator=(const Key& other) noexcept;
  ~Key() = default;

  // "EC PRIVATE KEY", as OpenSSL writes it.
  [[nodiscard]] std::string pem() const;
  // The public key: {"crv":"P-256","kty":"EC","x":"...","y":"..."}.
  [[nodiscard]] std::string jwk() const;
  // RFC 7638, in base64url.
  [[nodiscard]] std::string thumbprint() const;
  // SubjectPublicKeyInfo.
  [[nodiscard]] std::string public_der() const;
  // r and s, 64 bytes.
  [[nodiscard]] std::string sign(std::string_view text, base::Entropy& entropy) const;

 private:
  Key() = default;
  void take(const crypto::P256::Bytes& secret) noexcept;

  crypto::Wiped<crypto::P256::Bytes> secret_;
  crypto::P256::Point point_{};
};

// PKCS#10 for these DNS names, in DER.
[[nodiscard]] std::string certificate_request(const Key& key, const std::vector<std::string>& names,
                                              base::Entropy& entropy);

// What TLS-ALPN-01 shows for `name`, in DER.
[[nodiscard]] std::string challenge_certificate(const Key& key, std::string_view name,
                                                std::string_view key_authorization,
                                                base::Entropy& entropy);

// By which ACME Renewal Information names a certificate (DER): its authority's key and its serial
// number. Nothing: it does not say which key signed it, or is no certificate.
[[nodiscard]] std::optional<std::string> certificate_id(std::string_view der);

}  // namespace acme
