// SPDX-License-Identifier: ISC
// tests/tls/authority.hpp: makes keys and certificates for tests, by OpenSSL's libcrypto.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <openssl/x509.h>

#include "base/bytes.hpp"
#include "base/entropy.hpp"
#include "tls/certificates.hpp"

namespace authority {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

// "P-256", "P-384", "P-521", "RSA-1024", "RSA-2048", "ED25519".
Key make_key(const std::string& kind);

struct Wanted {
  std::string subject = "server";
  std::vector<std::string> names = {"DNS:localhost"};  // as openssl writes them: DNS:x, IP:y
  std::int64_t valid_from_s = -3600;                   // from now
  std::int64_t valid_to_s = 86400;
  Key issuer_key = {};  // none: signed by itself
  Certificate issuer = {};
  bool is_authority = false;
  std::string key_usage = {};  // as openssl writes them; empty: not said
  std::string extended_key_usage = {};
  bool sha1 = false;                 // signed with it
  std::string acme_identifier = {};  // RFC 8737: 32 bytes, in hexadecimal digits
};
Certificate make_certificate(const Key& key, const Wanted& wanted);

std::string pem(const Certificate& certificate);
std::string der(const Certificate& certificate);
std::string trusted_pem(const Certificate& certificate);  // with OpenSSL's additions
std::string request_pem(const Key& key);
std::string request_der(const Key& key);
std::string pkcs12(const Certificate& certificate, const Key& key);
enum class Form { pkcs8, traditional };  // traditional: SEC1 or PKCS#1
std::string pem(const Key& key, Form form = Form::pkcs8, const char* password = nullptr);
std::string der(const Key& key, Form form = Form::pkcs8);

// The kernel's random bytes.
class Entropy final : public base::Entropy {
 public:
  void fill(base::MutableBytes out) noexcept override;
};
Entropy& entropy();

// An identity for localhost with a key of this kind, signed by itself.
tls::Identity identity(const std::string& key_kind, const std::string& name = "localhost");

}  // namespace authority
