// SPDX-License-Identifier: ISC
// tests/tls/certificates_test.cpp: what tls::Identity takes, refuses and warns of.
//
// Method: tables. Keys and certificates are made by libcrypto, in every form that is promised and
// in those that must be refused; messages must name the file and what is wrong.

#include "tls/certificates.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <functional>
#include <span>

#include "tests/tls/authority.hpp"

namespace {

using authority::Certificate;
using authority::Form;
using authority::Key;
using authority::Wanted;
using base::bytes_of;

base::Result<tls::Identity, std::string> make(std::string_view certificates, std::string_view key) {
  return tls::Identity::make({"c.pem", bytes_of(certificates)}, {"k.pem", bytes_of(key)},
                             authority::entropy());
}

TEST(Certificates, EveryKindOfKeyInEveryFormIsTaken) {
  struct Row {
    const char* kind;
    const char* named;
  };
  for (const Row& row :
       {Row{"P-256", "ECDSA P-256"}, Row{"P-384", "ECDSA P-384"}, Row{"RSA-2048", "RSA 2048"}}) {
    const Key key = authority::make_key(row.kind);
    const Certificate certificate = authority::make_certificate(key, {});
    const std::string keys[] = {authority::pem(key), authority::pem(key, Form::traditional),
                                authority::der(key), authority::der(key, Form::traditional)};
    for (const std::string& key_text : keys) {
      for (const std::string& text : {authority::pem(certificate), authority::der(certificate)}) {
        SCOPED_TRACE(std::string(row.kind) + " " + text.substr(0, 10) + key_text.substr(0, 30));
        auto identity = make(text, key_text);
        ASSERT_TRUE(identity.has_value()) << identity.error();
        EXPECT_EQ(identity->key_type(), row.named);
        EXPECT_EQ(identity->names(), std::vector<std::string>{"localhost"});
        const std::int64_t now = std::time(nullptr);
        EXPECT_NEAR(static_cast<double>(identity->not_before_s()), static_cast<double>(now - 3600),
                    60);
        EXPECT_NEAR(static_cast<double>(identity->not_after_s()), static_cast<double>(now + 86400),
                    60);
        EXPECT_TRUE(identity->warnings(now, "localhost").empty());
      }
    }
  }
}

struct Refused {
  const char* what;
  std::string certificates;
  std::string key;
  const char* file;    // that the message must begin with
  const char* reason;  // that it must contain
};

void expect_refused(std::span<const Refused> rows) {
  for (const Refused& row : rows) {
    SCOPED_TRACE(row.what);
    auto identity = make(row.certificates, row.key);
    ASSERT_FALSE(identity.has_value());
    EXPECT_TRUE(identity.error().starts_with(row.file)) << identity.error();
    EXPECT_NE(identity.error().find(row.reason), std::string::npos) << identity.error();
  }
}

TEST(Certificates, WhatCannotServeIsRefusedWithItsReason) {
  const Key key = authority::make_key("P-256");
  const Key other = authority::make_key("P-256");
  const Key rsa = authority::make_key("RSA-2048");
  const Certificate certificate = authority::make_certificate(key, {});
  const std::string good = authority::pem(certificate);
  const std::string good_key = authority::pem(key);
  auto own = [](const char* kind) {
    const Key made = authority::make_key(kind);
    return std::pair(authority::pem(authority::make_certificate(made, {})), authority::pem(made));
  };
  const auto [rsa_1024, rsa_1024_key] = own("RSA-1024");
  std::string broken = good;
  broken[broken.size() / 2] = broken[broken.size() / 2] == '!' ? '?' : '!';

  const Refused rows[] = {
      {"empty certificate", "", good_key, "c.pem: ", "empty"},
      {"empty key", good, "", "k.pem: ", "empty"},
      {"key of another", good, authority::pem(other), "k.pem: ", "not the one of the first"},
      {"key of another kind", good, authority::pem(rsa), "k.pem: ", "not the one of the first"},
      {"broken PEM", broken, good_key, "c.pem: ", "broken"},
      {"cut PEM", good.substr(0, good.size() / 2), good_key, "c.pem: ", "broken"},
      {"second certificate broken", good + broken, good_key, "c.pem: ", "broken"},
      {"garbage certificate", "hello", good_key, "c.pem: ", "not a certificate"},
      {"garbage key", good, "hello", "k.pem: ", "not a private key"},
      {"cut key", good, good_key.substr(0, 60), "k.pem: ", "not a private key"},
      {"encrypted PKCS#8", good, authority::pem(key, Form::pkcs8, "secret"),
       "k.pem: ", "encrypted"},
      {"encrypted SEC1", good, authority::pem(key, Form::traditional, "secret"),
       "k.pem: ", "encrypted"},
      {"key for a certificate", good_key, good_key, "c.pem: ", "is a private key"},
      {"certificate for a key", good, good, "k.pem: ", "is a certificate"},
      {"RSA 1024", rsa_1024, rsa_1024_key, "k.pem: ", "2048"},
  };
  expect_refused(rows);
}

TEST(Certificates, WhatClientsWouldRefuseIsRefusedWithWhatToDo) {
  const Key key = authority::make_key("P-256");
  const Key other = authority::make_key("P-256");
  const Certificate certificate = authority::make_certificate(key, {});
  const std::string good = authority::pem(certificate);
  const std::string good_key = authority::pem(key);
  auto own = [](const char* kind) {
    const Key made = authority::make_key(kind);
    return std::pair(authority::pem(authority::make_certificate(made, {})), authority::pem(made));
  };
  const auto [p521, p521_key] = own("P-521");
  const auto [ed25519, ed25519_key] = own("ED25519");
  auto own_with = [&key](const Wanted& wanted) {
    return authority::pem(authority::make_certificate(key, wanted));
  };
  const Certificate sha1_middle = authority::make_certificate(
      other, {.subject = "middle", .issuer_key = key, .issuer = certificate, .sha1 = true});
  std::string long_chain;
  while (long_chain.size() < 40000) long_chain += good;
  const Refused rows[] = {
      {"P-521", p521, p521_key, "c.pem: ", "P-521"},
      {"Ed25519", ed25519, ed25519_key, "c.pem: ", "Ed25519"},
      {"SHA-1", own_with({.sha1 = true}), good_key, "c.pem: ", "SHA-1"},
      {"SHA-1 in the middle", good + authority::pem(sha1_middle), good_key, "c.pem: ", "SHA-1"},
      {"PKCS#12", authority::pkcs12(certificate, key), good_key, "c.pem: ", "openssl pkcs12"},
      {"PKCS#12 for a key", good, authority::pkcs12(certificate, key), "k.pem: ", "openssl pkcs12"},
      {"a request", authority::request_pem(key), good_key, "c.pem: ", "request"},
      {"a request in DER", authority::request_der(key), good_key, "c.pem: ", "request"},
      {"PKCS#7", "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n", good_key,
       "c.pem: ", "openssl pkcs7"},
      {"for e-mail", own_with({.extended_key_usage = "emailProtection"}), good_key,
       "c.pem: ", "serverAuth"},
      {"for clients", own_with({.extended_key_usage = "clientAuth"}), good_key,
       "c.pem: ", "serverAuth"},
      {"for encipherment", own_with({.key_usage = "keyEncipherment"}), good_key,
       "c.pem: ", "digitalSignature"},
      {"for signing certificates", own_with({.key_usage = "keyCertSign,cRLSign"}), good_key,
       "c.pem: ", "digitalSignature"},
      {"a chain that is too long", long_chain, good_key, "c.pem: ", "16384"},
  };
  expect_refused(rows);
}

TEST(Certificates, WhatCanServeIsTakenWithAWarning) {
  const Key key = authority::make_key("P-256");
  const Key root_key = authority::make_key("P-256");
  const Key middle_key = authority::make_key("P-384");
  const Certificate root =
      authority::make_certificate(root_key, {.subject = "root", .is_authority = true});
  const Certificate middle = authority::make_certificate(
      middle_key,
      {.subject = "middle", .issuer_key = root_key, .issuer = root, .is_authority = true});
  const Certificate leaf =
      authority::make_certificate(key, {.issuer_key = middle_key, .issuer = middle});
  auto own = [&](const Wanted& wanted) {
    return authority::pem(authority::make_certificate(key, wanted));
  };
  const std::string a = authority::pem(leaf);
  const std::string b = authority::pem(middle);
  const std::string c = authority::pem(root);

  struct Row {
    const char* what;
    std::string certificates;
    const char* host;
    const char* warning;  // empty: none
  };
  const Row rows[] = {
      {"whole chain", a + b + c, "localhost", ""},
      {"without the root", a + b, "localhost", ""},
      {"no intermediate", a, "localhost", "intermediate"},
      {"wrong order", a + c + b, "localhost", "out of order"},
      {"expired", own({.valid_from_s = -7200, .valid_to_s = -3600}), "localhost", "expired on"},
      {"not yet", own({.valid_from_s = 86400, .valid_to_s = 2 * 86400}), "localhost",
       "not valid before"},
      {"other host", own({}), "example.org", "does not cover example.org, only localhost"},
      {"no host asked for", own({}), "", ""},
      {"no names", own({.names = {}}), "localhost", "no subjectAltName"},
      {"address", own({.names = {"IP:127.0.0.1"}}), "127.0.0.1", ""},
      {"wildcard", own({.names = {"DNS:*.example.org"}}), "www.example.org", ""},
      {"wildcard, deeper", own({.names = {"DNS:*.example.org"}}), "a.b.example.org",
       "does not cover"},
      {"wildcard, itself", own({.names = {"DNS:*.example.org"}}), "example.org", "does not cover"},
      {"case", own({.names = {"DNS:Example.ORG"}}), "eXample.org", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    auto identity = make(row.certificates, authority::pem(key));
    ASSERT_TRUE(identity.has_value()) << identity.error();
    const auto warnings = identity->warnings(std::time(nullptr), row.host);
    if (*row.warning == '\0') {
      EXPECT_TRUE(warnings.empty()) << warnings.front();
      continue;
    }
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_TRUE(warnings.front().starts_with("c.pem: ")) << warnings.front();
    EXPECT_NE(warnings.front().find(row.warning), std::string::npos) << warnings.front();
  }
}

TEST(Certificates, FilesAsPeopleHaveThemAreTaken) {
  const Key key = authority::make_key("P-256");
  const Key root_key = authority::make_key("RSA-2048");
  const Certificate root = authority::make_certificate(
      root_key, {.subject = "root", .is_authority = true, .sha1 = true});
  const Certificate certificate =
      authority::make_certificate(key, {.issuer_key = root_key, .issuer = root});
  const std::string leaf = authority::pem(certificate);
  const std::string key_text = authority::pem(key);
  auto replaced = [](std::string text, std::string_view what, std::string_view by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
      text.replace(at, what.size(), by);
    }
    return text;
  };
  struct Row {
    const char* what;
    std::string certificates;
    std::string key;
  };
  const Row rows[] = {
      {"a root that is signed with SHA-1", leaf + authority::pem(root), key_text},
      {"trailing blanks", replaced(leaf, "\n", " \t\n"), replaced(key_text, "\n", "  \n")},
      {"ends of lines of Windows", replaced(leaf, "\n", "\r\n"), replaced(key_text, "\n", "\r\n")},
      {"X509 CERTIFICATE", replaced(leaf, " CERT", " X509 CERT"), key_text},
      {"TRUSTED CERTIFICATE", authority::trusted_pem(certificate), key_text},
      {"text between", "subject: x\n" + leaf + "\nissuer: y\n", "Bag Attributes\n" + key_text},
      {"both in one file", leaf + key_text, leaf + key_text},
      {"usages that serve",
       authority::pem(
           authority::make_certificate(key, {.key_usage = "digitalSignature,keyEncipherment",
                                             .extended_key_usage = "clientAuth,serverAuth"})),
       key_text},
      {"any usage",
       authority::pem(authority::make_certificate(key, {.extended_key_usage = "2.5.29.37.0"})),
       key_text},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    auto identity = make(row.certificates, row.key);
    ASSERT_TRUE(identity.has_value()) << identity.error();
    EXPECT_EQ(identity->key_type(), "ECDSA P-256");
  }
}

TEST(Certificates, DatesAreWrittenAsDates) {
  EXPECT_EQ(tls::date_text(0), "1970-01-01");
  EXPECT_EQ(tls::date_text(951782400), "2000-02-29");
  EXPECT_EQ(tls::date_text(4102444799), "2099-12-31");
}

}  // namespace
