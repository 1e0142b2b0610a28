// SPDX-License-Identifier: ISC
#include "crunch/certificate/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/random.h>

#include <array>
#include <cctype>
#include <cstdio>
#include <ctime>
#include <memory>

#include "base/entropy.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "tls/certificates.hpp"

namespace crunch::certificate {
namespace {

constexpr std::uint64_t file_bytes_max = 1U << 20U;
constexpr long valid_s = 90L * 86400;

class Entropy final : public base::Entropy {
 public:
  void fill(base::MutableBytes out) noexcept override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* object) const { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509, X509_free>>;

tls::Identity identity_of(const Pair& pair) {
  static Entropy entropy;
  auto identity = tls::Identity::make({pair.certificates_name, base::bytes_of(pair.certificates)},
                                      {pair.key_name, base::bytes_of(pair.key)}, entropy);
  if (!identity) throw Failure(identity.error());
  return std::move(*identity);
}

void require(bool good) {
  if (!good) throw Failure("libcrypto could not make a certificate");
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

using Address = std::array<unsigned char, 16>;

// As certificates write it (tls/certificates): eight groups without a gap. Empty: `host` is none.
std::string ipv6_text(const std::string& host) {
  Address bytes;
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return {};
  std::string text;
  std::array<char, 8> group;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::snprintf(group.data(), group.size(), i == 0 ? "%x" : ":%x", bytes[i] << 8 | bytes[i + 1]);
    text += group.data();
  }
  return text;
}

bool is_address(const std::string& host) {
  Address bytes;
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || !ipv6_text(host).empty();
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  const bool good = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  require(good);
}

// What a name in a certificate may be made of: nothing that libcrypto's syntax gives a meaning.
void require_host(const std::string& host) {
  if (is_address(host)) return;
  for (const char c : host) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.' && c != '*') {
      throw Usage("--self-signed takes a host name or an address, not " + in_quotes(host));
    }
  }
  if (host.empty()) throw Usage("--self-signed takes a host name");
}

}  // namespace

Pair load(const std::string& certificates_path, const std::string& key_path) {
  return {certificates_path, read_file(certificates_path, file_bytes_max), key_path,
          read_file(key_path, file_bytes_max)};
}

Pair self_signed(const std::string& host) {
  require_host(host);
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made(X509_new());
  require(key != nullptr && made != nullptr);
  X509* const x = made.get();
  std::array<unsigned char, 16> serial;
  require(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1);
  serial[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
  BN_free(number);
  X509_set_version(x, 2);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);  // clocks differ
  X509_gmtime_adj(X509_getm_notAfter(x), valid_s);
  X509_NAME* name = X509_get_subject_name(x);
  const std::string common = host.substr(0, 64);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, name);
  require(X509_set_pubkey(x, key.get()) == 1);
  std::string names = (is_address(host) ? "IP:" : "DNS:") + host;
  if (host == "localhost") names += ",IP:127.0.0.1,IP:::1";
  add_extension(x, NID_subject_alt_name, names);
  add_extension(x, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(x, NID_key_usage, "critical,digitalSignature");
  add_extension(x, NID_ext_key_usage, "serverAuth");
  require(X509_sign(x, key.get(), EVP_sha256()) > 0);

  BIO* certificate_out = BIO_new(BIO_s_mem());
  require(PEM_write_bio_X509(certificate_out, x) == 1);
  BIO* key_out = BIO_new(BIO_s_mem());
  require(PEM_write_bio_PKCS8PrivateKey(key_out, key.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1);
  return {"the self-signed certificate", text_of(certificate_out), "its key", text_of(key_out)};
}

Facts check(const Pair& pair) {
  const tls::Identity identity = identity_of(pair);
  return {identity.names(), tls::date_text(identity.not_before_s()),
          tls::date_text(identity.not_after_s()), identity.key_type(),
          identity.warnings(std::time(nullptr), "")};
}

std::string not_covered(const Pair& pair, const std::string& host) {
  const tls::Identity identity = identity_of(pair);
  const std::string address = ipv6_text(host);
  return identity.not_covered(address.empty() ? host : address);
}

}  // namespace crunch::certificate
