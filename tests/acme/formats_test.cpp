// SPDX-License-Identifier: ISC
// tests/acme/formats_test.cpp: JSON, times, keys and signed bodies.
//
// Method: tables of texts; the RFCs' known answers; OpenSSL checks what was signed.

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <openssl/hmac.h>

#include <array>
#include <memory>

#include "acme/json.hpp"
#include "acme/jws.hpp"
#include "acme/keys.hpp"
#include "acme/text.hpp"
#include "tests/tls/authority.hpp"
#include "tls/challenges.hpp"

namespace {

using std::string_view;
using namespace std::string_view_literals;

// Not random, but never the same.
class Counting final : public base::Entropy {
 public:
  void fill(base::MutableBytes out) noexcept override {
    for (std::byte& one : out) one = static_cast<std::byte>((state_ = state_ * 69069 + 1) >> 24U);
  }

 private:
  std::uint32_t state_ = 1;
};

TEST(AcmeJson, TakesWhatRfc8259Allows) {
  const auto made = acme::parse_json(
      R"( {"a":"x\n\"\\\/\u00e9\uD83D\ude00","b":[1,-0.5e+3,true,null],"c":{"d":{}},"a":2} )");
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)["a"].string(), "x\n\"\\/\xc3\xa9\xf0\x9f\x98\x80");
  ASSERT_EQ((*made)["b"].values.size(), 4U);
  EXPECT_EQ((*made)["b"].values[1].text, "-0.5e+3");
  EXPECT_EQ((*made)["c"]["d"].kind, acme::Json::Kind::object);
  EXPECT_EQ((*made)["none"]["of"].string(), "");
  EXPECT_TRUE(acme::parse_json("[]"));
}

TEST(AcmeJson, RefusesAllElse) {
  for (const string_view text : {"",
                                 "{",
                                 "}",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{a:1}",
                                 "[1,]",
                                 "{\"a\":1,}",
                                 "01",
                                 "1.",
                                 "1e",
                                 "-",
                                 "\"a",
                                 "\"\t\"",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "\"\\ud800\"",
                                 "\"\\ud800\\u0041\"",
                                 "\"\\udc00\"",
                                 "tru",
                                 "[] []",
                                 "nul",
                                 "+1",
                                 "[1 2]"}) {
    EXPECT_FALSE(acme::parse_json(text)) << text;
  }
}

TEST(AcmeJson, HasLimits) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(acme::parse_json(nested(acme::json_depth_max)));
  EXPECT_FALSE(acme::parse_json(nested(acme::json_depth_max + 1)));
  EXPECT_FALSE(acme::parse_json(nested(100'000)));
  std::string many = "[0";
  for (std::size_t i = 0; i < acme::json_values_max; ++i) many += ",0";
  EXPECT_FALSE(acme::parse_json(many + ']'));
  EXPECT_FALSE(acme::parse_json('"' + std::string(acme::json_bytes_max, 'a') + '"'));
}

TEST(AcmeJson, WritesWhatItReads) {
  const std::string text = "a\"b\\c\n\x01 \xc3\xa9";
  EXPECT_EQ(acme::parse_json(acme::json_text(text))->text, text);
}

TEST(AcmeText, Base64UrlOfRfc4648) {
  const std::pair<string_view, string_view> rows[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"\xff\xfe"sv, "__4"}, {"\0\0\0"sv, "AAAA"}};
  for (const auto& [bytes, text] : rows) {
    EXPECT_EQ(acme::base64url(bytes), text);
    EXPECT_EQ(acme::decode_base64url(text), bytes);
  }
  for (const string_view text : {"A", "Zg==", "a+b/", "a b "}) {
    EXPECT_FALSE(acme::decode_base64url(text)) << text;
  }
}

// RFC 8555 section 6.5.1: a nonce has one character or more, of any number.
TEST(AcmeText, NoncesNeedNotBeEncodedBytes) {
  for (const string_view text : {"A", "nonce1-_Z"}) EXPECT_TRUE(acme::is_base64url(text)) << text;
  for (const string_view text : {"", "a=", "a+", "a b", "a\n"}) {
    EXPECT_FALSE(acme::is_base64url(text)) << text;
  }
}

TEST(AcmeText, Times) {
  EXPECT_EQ(acme::rfc3339_seconds("1970-01-02T00:00:01Z"), 86'401);
  EXPECT_EQ(acme::rfc3339_seconds("1970-01-02T01:00:01.25+01:00"), 86'401);
  EXPECT_EQ(acme::rfc3339_seconds("1970-01-01T23:00:01-01:00"), 86'401);
  for (const string_view text : {"", "1970-01-02", "1970-01-02T00:00:01", "1970-13-02T00:00:01Z",
                                 "1970-01-02 00:00:01Z", "1970-01-02T00:00:01.Z"}) {
    EXPECT_FALSE(acme::rfc3339_seconds(text)) << text;
  }
  EXPECT_EQ(acme::retry_after_seconds("120", 1000), 1120);
  EXPECT_EQ(acme::retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT", 0), 1'445'412'480);
  for (const string_view text : {"", "-1", "12 ", "Wed, 21 Okt 2015 07:28:00 GMT", "9999999999"}) {
    EXPECT_FALSE(acme::retry_after_seconds(text, 0)) << text;
  }
}

// RFC 7517 appendix A.2's key; the thumbprint is `openssl dgst -sha256` of RFC 7638's form of it.
constexpr string_view known_secret = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE";

std::string known_pem() {
  const std::string secret = *acme::decode_base64url(known_secret);
  const std::string x = *acme::decode_base64url("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4");
  const std::string y = *acme::decode_base64url("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
  return acme::pem_text(
      "EC PRIVATE KEY",
      std::string("\x30\x77\x02\x01\x01\x04\x20"sv) + secret +
          std::string(
              "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\xa1\x44\x03\x42\x00\x04"sv) +
          x + y);
}

TEST(AcmeKeys, AKnownKeyIsReadAndWritten) {
  const auto key = acme::Key::from_pem(known_pem());
  ASSERT_TRUE(key);
  EXPECT_EQ(key->pem(), known_pem());
  const std::string jwk =
      R"({"crv":"P-256","kty":"EC","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
      R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"})";
  EXPECT_EQ(key->jwk(), jwk);
  EXPECT_EQ(key->thumbprint(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
}

TEST(AcmeKeys, OtherTextsAreNoKeys) {
  const std::string good = known_pem();
  EXPECT_FALSE(acme::Key::from_pem(""));
  EXPECT_FALSE(acme::Key::from_pem("-----BEGIN EC PRIVATE KEY-----"));
  for (std::size_t at = 0; at + 1 < good.size(); ++at) {  // the last is a line's end
    EXPECT_FALSE(acme::Key::from_pem(good.substr(0, at))) << at;
    std::string changed = good;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(acme::Key::from_pem(changed)) << at;
  }
}

std::shared_ptr<EVP_PKEY> opened(const std::string& pem) {
  const std::shared_ptr<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                BIO_free);
  return {PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

TEST(AcmeKeys, OpenSslTakesTheRequestForACertificate) {
  Counting entropy;
  for (int i = 0; i < 20; ++i) {
    const acme::Key key = acme::Key::make(entropy);
    ASSERT_TRUE(opened(key.pem()));
    const std::string der =
        acme::certificate_request(key, {"example.org", "www.example.org"}, entropy);
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::shared_ptr<X509_REQ> request(
        d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())), X509_REQ_free);
    ASSERT_TRUE(request);
    EXPECT_EQ(X509_REQ_verify(request.get(), opened(key.pem()).get()), 1);
    STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request.get());
    auto* names = static_cast<GENERAL_NAMES*>(
        X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
    ASSERT_NE(names, nullptr);
    EXPECT_EQ(sk_GENERAL_NAME_num(names), 2);
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
}

TEST(AcmeKeys, TlsShowsTheChallengesCertificate) {
  Counting entropy;
  const acme::Key key = acme::Key::make(entropy);
  const std::string der =
      acme::challenge_certificate(key, "example.org", "token.thumbprint", entropy);
  const std::string pem = key.pem();
  tls::Challenges challenges;
  const auto set = challenges.set("example.org", {"challenge", base::bytes_of(der)},
                                  {"key", base::bytes_of(pem)}, entropy);
  EXPECT_TRUE(set) << (set ? "" : set.error());
  EXPECT_TRUE(challenges.find("example.org"));
}

TEST(AcmeKeys, TheIdOfRfc9773) {
  // Its example has this authority's key and this serial number.
  const std::string authority =
      "\x69\x88\x5b\x6b\x87\x46\x40\x41\xe1\xb3\x7b\x84\x7b\xa0\xae\x2c"
      "\xde\x01\xc8\xd4";
  const auto der = [](char tag, const std::string& content) {
    return std::string(1, tag) + static_cast<char>(content.size()) + content;
  };
  const std::string identifier = der('\x30', der('\x80', authority));
  const std::string extension = der('\x30', "\x06\x03\x55\x1d\x23" + der('\x04', identifier));
  const std::string serial("\x00\x87\x65\x43\x21"sv);
  const std::string certificate =
      der('\x30', der('\x30', der('\xa0', "\x02\x01\x02") + der('\x02', serial) +
                                  der('\xa3', der('\x30', extension))));
  EXPECT_EQ(acme::certificate_id(certificate), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  for (std::size_t size = 0; size < certificate.size(); ++size) {
    EXPECT_FALSE(acme::certificate_id(string_view(certificate).substr(0, size))) << size;
  }
}

std::string member(const std::string& body, string_view name) {
  return *acme::decode_base64url((*acme::parse_json(body))[name].string());
}

TEST(AcmeJws, OpenSslVerifiesABody) {
  Counting entropy;
  const acme::Key key = acme::Key::make(entropy);
  for (const string_view account : {"", "https://ca.example/acct/1"}) {
    const std::string body =
        acme::signed_body(key, {"https://ca.example/new", "n0nce", account, R"({"a":1})"}, entropy);
    const auto header = acme::parse_json(member(body, "protected"));
    ASSERT_TRUE(header);
    EXPECT_EQ((*header)["alg"].string(), "ES256");
    EXPECT_EQ((*header)["nonce"].string(), "n0nce");
    EXPECT_EQ((*header)["url"].string(), "https://ca.example/new");
    EXPECT_EQ((*header)["kid"].string(), account);
    EXPECT_EQ((*header)["jwk"]["crv"].string(), account.empty() ? "P-256" : "");
    EXPECT_EQ(member(body, "payload"), R"({"a":1})");

    const auto json = *acme::parse_json(body);
    const std::string text =
        std::string(json["protected"].string()) + '.' + std::string(json["payload"].string());
    const std::string pair = member(body, "signature");
    ASSERT_EQ(pair.size(), 64U);
    const auto* bytes = reinterpret_cast<const unsigned char*>(pair.data());
    const std::shared_ptr<ECDSA_SIG> signature(ECDSA_SIG_new(), ECDSA_SIG_free);
    ECDSA_SIG_set0(signature.get(), BN_bin2bn(bytes, 32, nullptr),
                   BN_bin2bn(bytes + 32, 32, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    const std::shared_ptr<EVP_MD_CTX> check(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const auto public_key = opened(key.pem());
    EVP_DigestVerifyInit(check.get(), nullptr, EVP_sha256(), nullptr, public_key.get());
    EXPECT_EQ(EVP_DigestVerify(check.get(), der, static_cast<std::size_t>(size),
                               reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    OPENSSL_free(der);
  }
}

// The MAC of RFC 7515 appendix A.1's kind: made by OpenSSL with the same key.
TEST(AcmeJws, AnAccountIsBoundByHmac) {
  const auto key = acme::Key::from_pem(known_pem());
  const std::string secret = *acme::decode_base64url(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const std::string body = acme::account_binding(*key, "kid-1", base::bytes_of(secret),
                                                 "https://ca.example/new-account");
  const auto header = acme::parse_json(member(body, "protected"));
  EXPECT_EQ((*header)["alg"].string(), "HS256");
  EXPECT_EQ((*header)["kid"].string(), "kid-1");
  EXPECT_EQ((*header)["url"].string(), "https://ca.example/new-account");
  EXPECT_EQ(member(body, "payload"), key->jwk());
  const auto json = *acme::parse_json(body);
  const std::string text =
      std::string(json["protected"].string()) + '.' + std::string(json["payload"].string());
  std::array<unsigned char, 32> mac;
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  EXPECT_EQ(member(body, "signature"), std::string(mac.begin(), mac.end()));
}

}  // namespace
