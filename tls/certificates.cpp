// SPDX-License-Identifier: ISC
#include "tls/certificates.hpp"

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_crt.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

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

std::string parse_one(const std::string& der, std::size_t number, mbedtls_x509_crt& chain) {
  if (mbedtls_x509_crt_parse_der(&chain, u8(der), der.size()) == 0) return {};
  const std::string which =
      number == 0 ? "" : "of certificate " + std::to_string(number + 1) + ": ";
  if (std::string why = algorithm_problem(der); !why.empty()) return which + why;
  return which +
         "broken, or with a key or signature of a kind that is not supported (ECDSA on P-256 and "
         "P-384, and RSA are)";
}

std::string parse_chain(const CredentialFile& file, mbedtls_x509_crt& chain) {
  if (file.bytes.empty())
    return sentence(file.name,
                    "the file is empty; it should hold the "
                    "certificate, then those that vouch for it");
  if (auto other = other_kind(file.bytes); !other.empty()) return sentence(file.name, other);
  const auto found = certificates_in(file.bytes);
  if (!found) return sentence(file.name, found.error());
  std::size_t list_bytes = list_overhead_bytes;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const std::string& der = (*found)[i];
    // Clients have a root or they do not: one that mbedTLS cannot read is not sent.
    if (i > 0 && is_root(der) && !algorithm_problem(der).empty()) continue;
    if (auto wrong = parse_one(der, i, chain); !wrong.empty()) return sentence(file.name, wrong);
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

std::string address_text(base::Bytes bytes) {
  std::string text;
  std::array<char, 8> part;
  const bool v4 = bytes.size() == 4;
  for (std::size_t i = 0; i < bytes.size(); i += v4 ? 1 : 2) {
    const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(bytes[at]); };
    if (v4) {
      std::snprintf(part.data(), part.size(), "%u", byte(i));
    } else {
      std::snprintf(part.data(), part.size(), "%x", byte(i) << 8 | byte(i + 1));
    }
    if (i != 0) text += v4 ? '.' : ':';
    text += part.data();
  }
  return text;
}

// RFC 5280 section 4.2.1.6. The subject's common name is not looked at: no client does any more.
std::vector<std::string> names_of(const mbedtls_x509_crt& certificate) {
  std::vector<std::string> names;
  for (const auto* at = &certificate.subject_alt_names; at != nullptr; at = at->next) {
    if (at->buf.p == nullptr) continue;
    const base::Bytes bytes{reinterpret_cast<const std::byte*>(at->buf.p), at->buf.len};
    const int kind = at->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
    if (kind == MBEDTLS_X509_SAN_DNS_NAME) names.emplace_back(base::text_of(bytes));
    if (kind == MBEDTLS_X509_SAN_IP_ADDRESS && (bytes.size() == 4 || bytes.size() == 16)) {
      names.push_back(address_text(bytes));
    }
  }
  return names;
}

std::int64_t seconds_of(const mbedtls_x509_time& time) {
  const std::chrono::year_month_day day{std::chrono::year(time.year),
                                        std::chrono::month(static_cast<unsigned>(time.mon)),
                                        std::chrono::day(static_cast<unsigned>(time.day))};
  return std::chrono::sys_days(day).time_since_epoch().count() * std::int64_t{86400} +
         std::int64_t{time.hour} * 3600 + std::int64_t{time.min} * 60 + time.sec;
}

bool same_name(const mbedtls_x509_buf& a, const mbedtls_x509_buf& b) {
  return a.len == b.len && std::equal(a.p, a.p + a.len, b.p);
}

bool same_text(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
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
  prepare_library(entropy);
  Identity made(std::make_unique<State>());
  State& state = *made.state_;
  if (auto wrong = parse_chain(certificates, *state.chain); !wrong.empty()) return Failed(wrong);
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

bool Identity::covers(std::string_view host) const {
  if (host.ends_with('.')) host.remove_suffix(1);
  for (const std::string& name : names_) {
    if (same_text(name, host)) return true;
    if (!name.starts_with("*.")) continue;
    const std::size_t dot = host.find('.');
    if (dot != 0 && dot != std::string_view::npos &&
        same_text(std::string_view(name).substr(1), host.substr(dot))) {
      return true;
    }
  }
  return false;
}

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
  const std::chrono::sys_days day{
      std::chrono::floor<std::chrono::days>(std::chrono::seconds(seconds))};
  const std::chrono::year_month_day date(day);
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

}  // namespace tls
