// SPDX-License-Identifier: ISC
#include "tests/tls/authority.hpp"

#include <cstdlib>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/random.h>

namespace authority {
namespace {

void require(bool good) {
  if (!good) std::abort();  // libcrypto failed: no test can mean anything
}

std::string take(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

void add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Key make_key(const std::string& kind) {
  EVP_PKEY* key = nullptr;
  if (kind.starts_with("RSA-")) {
    key = EVP_RSA_gen(static_cast<unsigned>(std::stoi(kind.substr(4))));
  } else if (kind == "ED25519") {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  } else {
    key = EVP_EC_gen(kind.c_str());
  }
  require(key != nullptr);
  return {key, EVP_PKEY_free};
}

Certificate make_certificate(const Key& key, const Wanted& wanted) {
  Certificate made(X509_new(), X509_free);
  X509* const x = made.get();
  X509_set_version(x, 2);
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial);
  X509_gmtime_adj(X509_getm_notBefore(x), wanted.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(x), wanted.valid_to_s);
  X509_NAME* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.subject.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(x, wanted.issuer ? X509_get_subject_name(wanted.issuer.get()) : name);
  require(X509_set_pubkey(x, key.get()) == 1);
  std::string names;
  for (const std::string& one : wanted.names) names += (names.empty() ? "" : ",") + one;
  if (!names.empty()) add_extension(x, NID_subject_alt_name, names.c_str());
  if (wanted.is_authority) add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
  if (!wanted.key_usage.empty()) add_extension(x, NID_key_usage, wanted.key_usage.c_str());
  if (!wanted.extended_key_usage.empty()) {
    add_extension(x, NID_ext_key_usage, wanted.extended_key_usage.c_str());
  }
  if (!wanted.acme_identifier.empty()) {
    const std::string value = "critical,DER:0420" + wanted.acme_identifier;
    static const int kind = OBJ_create("1.3.6.1.5.5.7.1.31", "acmeIdentifier", "acmeIdentifier");
    add_extension(x, kind, value.c_str());
  }
  EVP_PKEY* const signer = wanted.issuer_key ? wanted.issuer_key.get() : key.get();
  const bool own_digest = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519;
  require(X509_sign(x, signer, own_digest ? nullptr : wanted.sha1 ? EVP_sha1() : EVP_sha256()) > 0);
  return made;
}

std::string pem(const Certificate& certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  require(PEM_write_bio_X509(bio, certificate.get()) == 1);
  return take(bio);
}

std::string der(const Certificate& certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  require(i2d_X509_bio(bio, certificate.get()) == 1);
  return take(bio);
}

std::string trusted_pem(const Certificate& certificate) {
  require(X509_alias_set1(certificate.get(), reinterpret_cast<const unsigned char*>("alias"), -1) ==
          1);
  BIO* bio = BIO_new(BIO_s_mem());
  require(PEM_write_bio_X509_AUX(bio, certificate.get()) == 1);
  return take(bio);
}

namespace {

std::shared_ptr<X509_REQ> request(const Key& key) {
  std::shared_ptr<X509_REQ> made(X509_REQ_new(), X509_REQ_free);
  require(X509_REQ_set_pubkey(made.get(), key.get()) == 1);
  require(X509_REQ_sign(made.get(), key.get(), EVP_sha256()) > 0);
  return made;
}

}  // namespace

std::string request_pem(const Key& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  require(PEM_write_bio_X509_REQ(bio, request(key).get()) == 1);
  return take(bio);
}

std::string request_der(const Key& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  require(i2d_X509_REQ_bio(bio, request(key).get()) == 1);
  return take(bio);
}

std::string pkcs12(const Certificate& certificate, const Key& key) {
  PKCS12* const made =
      PKCS12_create("secret", "name", key.get(), certificate.get(), nullptr, 0, 0, 0, 0, 0);
  require(made != nullptr);
  BIO* bio = BIO_new(BIO_s_mem());
  require(i2d_PKCS12_bio(bio, made) == 1);
  PKCS12_free(made);
  return take(bio);
}

std::string pem(const Key& key, Form form, const char* password) {
  BIO* bio = BIO_new(BIO_s_mem());
  const EVP_CIPHER* cipher = password == nullptr ? nullptr : EVP_aes_128_cbc();
  const int size = password == nullptr ? 0 : static_cast<int>(std::string(password).size());
  if (form == Form::pkcs8) {
    require(PEM_write_bio_PKCS8PrivateKey(bio, key.get(), cipher, password, size, nullptr,
                                          nullptr) == 1);
  } else {
    require(PEM_write_bio_PrivateKey_traditional(bio, key.get(), cipher,
                                                 reinterpret_cast<const unsigned char*>(password),
                                                 size, nullptr, nullptr) == 1);
  }
  return take(bio);
}

std::string der(const Key& key, Form form) {
  BIO* bio = BIO_new(BIO_s_mem());
  if (form == Form::pkcs8) {
    require(i2d_PKCS8PrivateKey_bio(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  } else {
    require(i2d_PrivateKey_bio(bio, key.get()) == 1);
  }
  return take(bio);
}

void Entropy::fill(base::MutableBytes out) noexcept {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

Entropy& entropy() {
  static Entropy instance;
  return instance;
}

tls::Identity identity(const std::string& key_kind, const std::string& name) {
  const Key key = make_key(key_kind);
  Wanted wanted;
  wanted.names = {"DNS:" + name};
  const std::string certificate = pem(make_certificate(key, wanted));
  const std::string key_text = pem(key);
  auto made = tls::Identity::make({"cert.pem", base::bytes_of(certificate)},
                                  {"key.pem", base::bytes_of(key_text)}, entropy());
  require(made.has_value());
  return std::move(*made);
}

}  // namespace authority
