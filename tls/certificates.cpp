// SPDX-License-Identifier: ISC
#include "tls/certificates.hpp"

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_crt.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/calendar.hpp"
#include "tls/certificate_facts.hpp"
#include "tls/certificate_file.hpp"
#include "tls/identity_state.hpp"
#include "tls/records.hpp"

namespace tls {
namespace {

using Failed = base::Failure<std::string>;

std::string sentence(std::string_view file, std::string_view what) {
  return std::string(file) + ": " + std::string(what);
}

// mbedTLS reads PEM only from text that ends in NUL, and counts the NUL; and it wants to be told
// apart DER, where a NUL behind it is an error.
std::string parsable(base::Bytes bytes) {
  std::string text(base::text_of(bytes));
  if (text.find("-----BEGIN ") == std::string::npos) return text;
  std::string tidy = without_trailing_blanks(text);
  mbedtls_platform_zeroize(text.data(), text.size());
  tidy.push_back('\0');
  return tidy;
}
const unsigned char* u8(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What TLS says of a certificate beside its bytes, and of a list of them: RFC 8446 section 4.4.2.
constexpr std::size_t list_overhead_bytes = 4 + 1 + 3;
constexpr std::size_t entry_overhead_bytes = 3 + 2;

using Parse = int (*)(mbedtls_x509_crt& chain, const std::string& der);

int parse_der(mbedtls_x509_crt& chain, const std::string& der) {
  return mbedtls_x509_crt_parse_der(&chain, u8(der), der.size());
}

int take_acme_identifier(void*, const mbedtls_x509_crt*, const mbedtls_x509_buf* oid, int,
                         const unsigned char*, const unsigned char*) {
  constexpr std::string_view acme_identifier = "\x2b\x06\x01\x05\x05\x07\x01\x1f";
  const std::string_view id(reinterpret_cast<const char*>(oid->p), oid->len);
  return id == acme_identifier ? 0 : MBEDTLS_ERR_X509_INVALID_EXTENSIONS;
}

int parse_challenge(mbedtls_x509_crt& chain, const std::string& der) {
  return mbedtls_x509_crt_parse_der_with_ext_cb(&chain, u8(der), der.size(), 1,
                                                take_acme_identifier, nullptr);
}

std::string parse_one(const std::string& der, std::size_t number, mbedtls_x509_crt& chain,
                      Parse parse) {
  if (parse(chain, der) == 0) return {};
  const std::string which =
      number == 0 ? "" : "of certificate " + std::to_string(number + 1) + ": ";
  if (std::string why = algorithm_problem(der); !why.empty()) return which + why;
  return which +
         "broken, or with a key or signature of a kind that is not supported (ECDSA on P-256 and "
         "P-384, and RSA are)";
}

std::string parse_chain(const CredentialFile& file, mbedtls_x509_crt& chain, Parse parse) {
  if (file.bytes.empty())
    return sentence(file.name,
                    "the file is empty; it should hold the "
                    "certificate, then its chain");
  if (auto other = other_kind(file.bytes); !other.empty()) return sentence(file.name, other);
  const auto found = certificates_in(file.bytes);
  if (!found) return sentence(file.name, found.error());
  std::size_t list_bytes = list_overhead_bytes;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const std::string& der = (*found)[i];
    // Clients have a root or they do not: one that mbedTLS cannot read is not sent.
    if (i > 0 && is_root(der) && !algorithm_problem(der).empty()) continue;
    if (auto wrong = parse_one(der, i, chain, parse); !wrong.empty()) {
      return sentence(file.name, wrong);
    }
    list_bytes += entry_overhead_bytes + der.size();
  }
  if (list_bytes > record_content_max) {
    return sentence(file.name, "its certificates have " + std::to_string(list_bytes) +
                                   " bytes in all, and at most " +
                                   std::to_string(record_content_max) +
                                   " can be sent; leave out the root and what no client needs");
  }
  return {};
}

// RFC 5280 sections 4.2.1.3 and 4.2.1.12. What is not said is allowed.
std::string usage_problem(const mbedtls_x509_crt& certificate) {
  if (mbedtls_x509_crt_check_key_usage(&certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0) {
    return "its keyUsage lacks digitalSignature, so that clients refuse it for a server; have one "
           "made with it";
  }
  if (mbedtls_x509_crt_check_extended_key_usage(&certificate, MBEDTLS_OID_SERVER_AUTH,
                                                MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) != 0) {
    return "its extendedKeyUsage lacks serverAuth, so that clients refuse it for a server; have "
           "one made with it";
  }
  return {};
}

std::string parse_key(const CredentialFile& file, mbedtls_pk_context& key, base::Entropy& entropy) {
  if (file.bytes.empty()) {
    return sentence(file.name, "the file is empty; it should hold the private key");
  }
  if (auto other = other_kind(file.bytes); !other.empty()) return sentence(file.name, other);
  std::string text = parsable(file.bytes);
  const bool encrypted = text.find("ENCRYPTED") != std::string::npos && text.back() == '\0';
  const bool certificate = text.find("-----BEGIN CERTIFICATE-----") != std::string::npos &&
                           text.find("PRIVATE KEY-----") == std::string::npos;
  const int failed =
      encrypted || certificate
          ? MBEDTLS_ERR_PK_PASSWORD_REQUIRED
          : mbedtls_pk_parse_key(&key, u8(text), text.size(), nullptr, 0, fill_random, &entropy);
  mbedtls_platform_zeroize(text.data(), text.size());
  if (failed == 0) return {};
  if (certificate) {
    return sentence(file.name, "this is a certificate; its private key is wanted here");
  }
  if (encrypted) {
    return sentence(file.name,
                    "the key is encrypted; decrypt it first, for example with "
                    "`openssl pkey -in FILE -out NEW`");
  }
  return sentence(file.name,
                  "not a private key that is supported: ECDSA on P-256 or P-384, or "
                  "RSA, as PKCS#8, SEC1 or PKCS#1, in PEM or DER");
}

// Empty: not of a kind that is supported.
std::string key_type_of(const mbedtls_pk_context& key) {
  if (mbedtls_pk_can_do(&key, MBEDTLS_PK_RSA) != 0) {
    return "RSA " + std::to_string(mbedtls_pk_get_bitlen(&key));
  }
  if (mbedtls_pk_can_do(&key, MBEDTLS_PK_ECDSA) == 0) return {};
  switch (mbedtls_pk_ec(key)->MBEDTLS_PRIVATE(grp).id) {
    case MBEDTLS_ECP_DP_SECP256R1:
      return "ECDSA P-256";
    case MBEDTLS_ECP_DP_SECP384R1:
      return "ECDSA P-384";
    default:
      return {};
  }
}

bool same_name(const mbedtls_x509_buf& a, const mbedtls_x509_buf& b) {
  return a.len == b.len && std::equal(a.p, a.p + a.len, b.p);
}

}  // namespace

Identity::State::State() : chain(new mbedtls_x509_crt), key(new mbedtls_pk_context) {
  mbedtls_x509_crt_init(chain);
  mbedtls_pk_init(key);
}

Identity::State::~State() {
  mbedtls_x509_crt_free(chain);
  mbedtls_pk_free(key);
  delete chain;
  delete key;
}

Identity::Identity(std::unique_ptr<State> state) : state_(std::move(state)) {}
Identity::Identity(Identity&&) noexcept = default;
Identity& Identity::operator=(Identity&&) noexcept = default;
Identity::~Identity() = default;

base::Result<Identity, std::string> Identity::make(const CredentialFile& certificates,
                                                   const CredentialFile& key,
                                                   base::Entropy& entropy) {
  return make(certificates, key, entropy, parse_der);
}

base::Result<Identity, std::string> Identity::make_challenge(const CredentialFile& certificate,
                                                             const CredentialFile& key,
                                                             base::Entropy& entropy) {
  return make(certificate, key, entropy, parse_challenge);
}

base::Result<Identity, std::string> Identity::make(const CredentialFile& certificates,
                                                   const CredentialFile& key,
                                                   base::Entropy& entropy, Parse parse) {
  prepare_library(entropy);
  Identity made(std::make_unique<State>());
  State& state = *made.state_;
  if (auto wrong = parse_chain(certificates, *state.chain, parse); !wrong.empty())
    return Failed(wrong);
  if (auto wrong = parse_key(key, *state.key, entropy); !wrong.empty()) return Failed(wrong);
  if (auto wrong = usage_problem(*state.chain); !wrong.empty()) {
    return Failed(sentence(certificates.name, wrong));
  }
  made.key_type_ = key_type_of(*state.key);
  if (made.key_type_.empty()) {
    return Failed(sentence(key.name,
                           "a key of this kind is not supported; ECDSA on P-256 or "
                           "P-384, and RSA are"));
  }
  if (made.key_type_.starts_with("RSA") && mbedtls_pk_get_bitlen(state.key) < 2048) {
    return Failed(sentence(key.name,
                           "an RSA key of fewer than 2048 bits is refused by clients; "
                           "make a larger one"));
  }
  if (mbedtls_pk_check_pair(&state.chain->pk, state.key, fill_random, &entropy) != 0) {
    return Failed(sentence(key.name, "this key is not the one of the first certificate in " +
                                         std::string(certificates.name)));
  }
  made.file_ = certificates.name;
  made.names_ = names_of(*state.chain);
  made.not_before_s_ = seconds_of(state.chain->valid_from);
  made.not_after_s_ = seconds_of(state.chain->valid_to);
  return made;
}

bool Identity::covers(std::string_view host) const { return is_named(names_, host); }

std::string Identity::not_covered(std::string_view host) const {
  if (covers(host)) return {};
  std::string list;
  for (const std::string& name : names_) list += (list.empty() ? ", only " : ", ") + name;
  return sentence(file_, "the certificate does not cover " + std::string(host) + list);
}

std::vector<std::string> Identity::warnings(std::int64_t now_s, std::string_view host) const {
  std::vector<std::string> out;
  if (now_s > not_after_s_) {
    out.push_back(sentence(file_, "the certificate expired on " + date_text(not_after_s_)));
  }
  if (now_s < not_before_s_) {
    out.push_back(
        sentence(file_, "the certificate is not valid before " + date_text(not_before_s_)));
  }
  for (const mbedtls_x509_crt* at = state_->chain; at != nullptr; at = at->next) {
    if (same_name(at->issuer_raw, at->subject_raw)) continue;  // signed by itself: nothing above
    if (at->next == nullptr) {
      // The topmost may be left out, as clients have it; alone, the one between is missing.
      if (at != state_->chain) continue;
      out.push_back(sentence(file_,
                             "only the server's certificate is there: without the "
                             "intermediate one many clients refuse it; append it"));
    } else if (!same_name(at->issuer_raw, at->next->subject_raw)) {
      out.push_back(sentence(file_,
                             "each certificate should be followed by the one that signed "
                             "it; some link is missing or out of order"));
      break;
    }
  }
  if (names_.empty()) {
    out.push_back(sentence(file_,
                           "the certificate names no host (no subjectAltName): clients "
                           "refuse it"));
  } else if (!host.empty()) {
    std::string uncovered = not_covered(host);
    if (!uncovered.empty()) out.push_back(std::move(uncovered));
  }
  return out;
}

std::string date_text(std::int64_t seconds) {
  const base::DateTime date = base::date_time_of(seconds);
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", date.year, date.month, date.day);
  return text.data();
}

}  // namespace tls
