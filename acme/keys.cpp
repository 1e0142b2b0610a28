// SPDX-License-Identifier: ISC
#include "acme/keys.hpp"

#include <algorithm>
#include <array>

#include "acme/text.hpp"
#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace acme {
namespace {

using std::string_view;
using namespace std::string_view_literals;

constexpr char sequence = 0x30;
constexpr char set = 0x31;
constexpr char integer = 0x02;
constexpr char bit_string = 0x03;
constexpr char octet_string = 0x04;
constexpr char dns_name = static_cast<char>(0x82);
constexpr string_view on_p256 =
    "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03"
    "\x01\x07"sv;
constexpr string_view ecdsa_with_sha256 = "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;
constexpr string_view extension_request = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"sv;
constexpr string_view alternative_names = "\x06\x03\x55\x1d\x11"sv;
constexpr string_view authority_key = "\x06\x03\x55\x1d\x23"sv;
constexpr string_view acme_identifier = "\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x1f\x01\x01\xff"sv;
constexpr string_view common_name = "\x06\x03\x55\x04\x03"sv;
// ECPrivateKey: what stands before the secret, and between it and the point.
constexpr string_view before_secret = "\x30\x77\x02\x01\x01\x04\x20"sv;
constexpr string_view before_point =
    "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\xa1\x44\x03"
    "\x42\x00\x04"sv;

string_view text_of(const crypto::P256::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string der(char tag, string_view content) {
  std::string out(1, tag);
  const std::size_t size = content.size();
  if (size >= 0x100) {
    out += '\x82';
    out += static_cast<char>(size >> 8U);
  } else if (size >= 0x80) {
    out += '\x81';
  }
  out += static_cast<char>(size & 0xffU);
  out += content;
  return out;
}

std::string unsigned_integer(string_view bytes) {
  while (bytes.size() > 1 && bytes[0] == '\0') bytes.remove_prefix(1);
  const bool is_high = (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0;
  return der(integer, (is_high ? std::string(1, '\0') : std::string()) + std::string(bytes));
}

std::string names_extension(const std::vector<std::string>& names) {
  std::string in;
  for (const std::string& name : names) in += der(dns_name, name);
  return der(sequence, std::string(alternative_names) + der(octet_string, der(sequence, in)));
}

// `content` with its signature behind it.
std::string signed_der(const Key& key, const std::string& content, base::Entropy& entropy) {
  const std::string pair = key.sign(content, entropy);
  const std::string signature = der(sequence, unsigned_integer(string_view(pair).substr(0, 32)) +
                                                  unsigned_integer(string_view(pair).substr(32)));
  return der(sequence, content + der(sequence, ecdsa_with_sha256) +
                           der(bit_string, std::string(1, '\0') + signature));
}

// Takes the value at the front of `rest`; an empty tag: there is none.
struct Value {
  char tag = 0;
  string_view content{};
};
Value next_value(string_view& rest) {
  const auto byte = [&rest](std::size_t at) { return static_cast<unsigned char>(rest[at]); };
  if (rest.size() < 2) return {};
  std::size_t length = byte(1);
  std::size_t head = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7fU;
    if (count == 0 || count > 3 || rest.size() < 2 + count) return {};
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8U | byte(2 + i);
    head += count;
  }
  if (rest.size() - head < length) return {};
  const Value out{rest[0], rest.substr(head, length)};
  rest.remove_prefix(head + length);
  return out;
}

}  // namespace

Key& Key::operator=(const Key& other) noexcept {
  secret_.value = other.secret_.value;
  point_ = other.point_;
  return *this;
}

void Key::take(const crypto::P256::Bytes& secret) noexcept {
  secret_.value = secret;
  point_ = crypto::P256::multiply_base(secret);
}

Key Key::make(base::Entropy& entropy) {
  crypto::Wiped<crypto::P256::Bytes> secret;
  secret.value = crypto::make_p256_secret(entropy);
  Key out;
  out.take(secret.value);
  return out;
}

std::optional<Key> Key::from_pem(string_view pem) {
  constexpr string_view begin = "-----BEGIN EC PRIVATE KEY-----";
  const std::size_t at = pem.find(begin);
  if (at == string_view::npos) return std::nullopt;
  std::string digits;
  for (const char c : pem.substr(at + begin.size())) {
    if (c == '-' || c == '=') break;
    if (c == '\n' || c == '\r') continue;
    digits += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  const auto bytes = decode_base64url(digits);
  const std::size_t before_end = before_secret.size() + 32;
  if (!bytes || bytes->size() != before_end + before_point.size() + 64 ||
      !bytes->starts_with(before_secret) ||
      string_view(*bytes).substr(before_end, before_point.size()) != before_point) {
    return std::nullopt;
  }
  crypto::Wiped<crypto::P256::Bytes> secret;
  std::copy_n(bytes->begin() + static_cast<std::ptrdiff_t>(before_secret.size()), 32,
              secret.value.begin());
  if (!crypto::is_p256_secret(secret.value)) return std::nullopt;
  Key out;
  out.take(secret.value);
  if (out.pem() != pem.substr(at, out.pem().size())) return std::nullopt;
  return out;
}

std::string Key::pem() const {
  std::string out(before_secret);
  out += text_of(secret_.value);
  out += before_point;
  out += text_of(point_.x);
  out += text_of(point_.y);
  return pem_text("EC PRIVATE KEY", out);
}

std::string Key::jwk() const {
  return R"({"crv":"P-256","kty":"EC","x":")" + base64url(text_of(point_.x)) + R"(","y":")" +
         base64url(text_of(point_.y)) + R"("})";
}

std::string Key::thumbprint() const {
  return base64url(base::text_of(crypto::sha256_of(base::bytes_of(jwk()))));
}

std::string Key::public_der() const {
  std::string point(2, '\0');
  point[1] = 4;  // not compressed
  point += text_of(point_.x);
  point += text_of(point_.y);
  return der(sequence, der(sequence, on_p256) + der(bit_string, point));
}

std::string Key::sign(string_view text, base::Entropy& entropy) const {
  const auto made = crypto::ecdsa_p256_sign(secret_.value, base::bytes_of(text), entropy);
  return {made.begin(), made.end()};
}

std::string certificate_request(const Key& key, const std::vector<std::string>& names,
                                base::Entropy& entropy) {
  const std::string extensions = der(sequence, names_extension(names));
  const std::string attribute =
      der(sequence, std::string(extension_request) + der(set, extensions));
  // The subject is empty: CAs look at the alternative names.
  return signed_der(key,
                    der(sequence, der(integer, "\0"sv) + der(sequence, {}) + key.public_der() +
                                      der('\xa0', attribute)),
                    entropy);
}

std::string challenge_certificate(const Key& key, string_view name, string_view key_authorization,
                                  base::Entropy& entropy) {
  const auto digest = crypto::sha256_of(base::bytes_of(key_authorization));
  const std::string identifier =
      der(sequence, std::string(acme_identifier) +
                        der(octet_string, der(octet_string, base::text_of(digest))));
  const std::string subject = der(
      sequence, der(set, der(sequence, std::string(common_name) + der('\x0c', "ACME challenge"))));
  // It is shown to the CA only, which does not look at dates.
  const std::string dates = der('\x17', "700101000000Z") + der('\x17', "491231235959Z");
  std::string serial(8, '\0');
  entropy.fill(std::as_writable_bytes(std::span(serial)));
  const std::string content =
      der('\xa0', der(integer, "\2")) + unsigned_integer(serial) +
      der(sequence, ecdsa_with_sha256) + subject + der(sequence, dates) + subject +
      key.public_der() +
      der('\xa3', der(sequence, names_extension({std::string(name)}) + identifier));
  return signed_der(key, der(sequence, content), entropy);
}

std::optional<std::string> certificate_id(string_view der) {
  string_view rest = next_value(der).content;
  rest = next_value(rest).content;  // what is signed
  Value value = next_value(rest);
  if (value.tag == '\xa0') value = next_value(rest);
  if (value.tag != integer || value.content.empty()) return std::nullopt;
  const string_view serial = value.content;
  while (!rest.empty() && value.tag != '\xa3') {
    value = next_value(rest);
    if (value.tag == 0) return std::nullopt;
  }
  string_view extensions = value.tag == '\xa3' ? next_value(value.content).content : string_view();
  while (!extensions.empty()) {
    const Value extension = next_value(extensions);
    if (extension.tag != sequence) return std::nullopt;
    string_view in = extension.content;
    if (!in.starts_with(authority_key)) continue;
    in.remove_prefix(authority_key.size());
    string_view octets = next_value(in).content;
    string_view identifier = next_value(octets).content;
    const Value key = next_value(identifier);
    if (key.tag != '\x80' || key.content.empty()) return std::nullopt;
    return base64url(key.content) + '.' + base64url(serial);
  }
  return std::nullopt;
}

}  // namespace acme
