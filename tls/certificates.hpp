// SPDX-License-Identifier: ISC
// tls/certificates.hpp: a certificate with its chain and its private key.
//
// States:   CredentialFile, Identity.   Used by: tls/engine.cpp, and by the tool, so that building
//           and booting judge alike.
// Takes:    certificates in PEM (any number, the server's first) or DER (one), of at most 16 KiB
//           together (tls/certificate_file.hpp); a key in PEM or DER,
//           as PKCS#8, SEC1 or PKCS#1; ECDSA on P-256 and P-384, and RSA.
// Errors:   sentences that name the file and say what to do.
// May include: base.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/entropy.hpp"
#include "base/result.hpp"

struct mbedtls_x509_crt;

namespace tls {

// A file's content and the name that messages give it.
struct CredentialFile {
  std::string_view name;
  base::Bytes bytes;
};

class Identity {
 public:
  // Fails when this could never serve: nothing in a file, broken, encrypted, of a kind that is not
  // supported, not meant for servers, or a key that is not the certificate's. `entropy` is used
  // during the call only.
  [[nodiscard]] static base::Result<Identity, std::string> make(const CredentialFile& certificates,
                                                                const CredentialFile& key,
                                                                base::Entropy& entropy);
  // The same of a certificate by which a CA checks a name: it has the critical extension
  // acmeIdentifier, which no other may have (RFC 8737 section 3).
  [[nodiscard]] static base::Result<Identity, std::string> make_challenge(
      const CredentialFile& certificate, const CredentialFile& key, base::Entropy& entropy);
  Identity(Identity&&) noexcept;
  Identity& operator=(Identity&&) noexcept;
  ~Identity();

  // DNS names and IP addresses, as text.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  // RFC 9525: a name, or one label in place of "*"; letters' case does not matter.
  [[nodiscard]] bool covers(std::string_view host) const;
  // Seconds since 1970-01-01 UTC.
  [[nodiscard]] std::int64_t not_before_s() const noexcept { return not_before_s_; }
  [[nodiscard]] std::int64_t not_after_s() const noexcept { return not_after_s_; }
  // "ECDSA P-256", "ECDSA P-384", "RSA 2048".
  [[nodiscard]] const std::string& key_type() const noexcept { return key_type_; }

  // A sentence with the file's name if it does not cover `host`; else empty.
  [[nodiscard]] std::string not_covered(std::string_view host) const;

  // What a person should know and the server goes on with: out of date now, a link missing or out
  // of order, a host without a name. `host` may be empty: it is not asked for.
  [[nodiscard]] std::vector<std::string> warnings(std::int64_t now_s, std::string_view host) const;

  // mbedTLS's objects, tls/identity_state.hpp.
  struct State;
  [[nodiscard]] State& state() const noexcept { return *state_; }

 private:
  explicit Identity(std::unique_ptr<State> state);
  using Parse = int (*)(mbedtls_x509_crt& chain, const std::string& der);
  static base::Result<Identity, std::string> make(const CredentialFile& certificates,
                                                  const CredentialFile& key, base::Entropy& entropy,
                                                  Parse parse);

  std::unique_ptr<State> state_;
  std::string file_;
  std::vector<std::string> names_;
  std::string key_type_;
  std::int64_t not_before_s_ = 0;
  std::int64_t not_after_s_ = 0;
};

// "2026-11-22" of seconds since 1970-01-01 UTC.
[[nodiscard]] std::string date_text(std::int64_t seconds);

}  // namespace tls
