// SPDX-License-Identifier: ISC
#include "tls/certificate_file.hpp"

#include <mbedtls/base64.h>

#include <optional>

namespace tls {
namespace {

using Failed = base::Failure<std::string>;
using std::string_view;

// ---- DER

struct Value {
  unsigned tag = 0;
  string_view content;
  string_view whole;  // with tag and length
};

// Takes the value at the front of `der`.
std::optional<Value> next_value(string_view& der) {
  const auto byte = [&der](std::size_t at) { return static_cast<unsigned char>(der[at]); };
  if (der.size() < 2) return {};
  std::size_t length = byte(1);
  std::size_t head = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7fU;
    if (count == 0 || count > 4 || der.size() < 2 + count) return {};
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8U | byte(2 + i);
    head += count;
  }
  if (der.size() - head < length) return {};
  const Value value{byte(0), der.substr(head, length), der.substr(0, head + length)};
  der.remove_prefix(head + length);
  return value;
}

constexpr unsigned sequence = 0x30;
constexpr unsigned integer = 0x02;
constexpr unsigned version_of_certificate = 0xa0;

// The parts of a certificate that are looked at here.
struct Parts {
  string_view signature_algorithm;  // OID
  string_view issuer;
  string_view subject;
  string_view key_algorithm;   // OID
  string_view key_parameters;  // of an elliptic curve: its OID
};

std::optional<Parts> parts_of(string_view der) {
  const auto outer = next_value(der);
  if (!outer || outer->tag != sequence) return {};
  string_view in_outer = outer->content;
  const auto signed_part = next_value(in_outer);
  if (!signed_part || signed_part->tag != sequence) return {};
  string_view rest = signed_part->content;
  auto value = next_value(rest);
  if (value && value->tag == version_of_certificate) value = next_value(rest);  // the serial number
  if (!value || value->tag != integer) return {};
  const auto algorithm = next_value(rest);
  const auto issuer = next_value(rest);
  const auto validity = next_value(rest);
  const auto subject = next_value(rest);
  const auto key = next_value(rest);
  if (!algorithm || !issuer || !validity || !subject || !key) return {};
  Parts parts;
  parts.issuer = issuer->whole;
  parts.subject = subject->whole;
  string_view in_algorithm = algorithm->content;
  string_view in_key = key->content;
  const auto signature_oid = next_value(in_algorithm);
  const auto key_algorithm = next_value(in_key);
  if (!signature_oid || !key_algorithm) return {};
  parts.signature_algorithm = signature_oid->content;
  string_view in_key_algorithm = key_algorithm->content;
  const auto key_oid = next_value(in_key_algorithm);
  if (!key_oid) return {};
  parts.key_algorithm = key_oid->content;
  if (const auto parameters = next_value(in_key_algorithm)) {
    parts.key_parameters = parameters->content;
  }
  return parts;
}

constexpr string_view sha1_with_rsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05";
constexpr string_view md5_with_rsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04";
constexpr string_view ecdsa_with_sha1 = "\x2a\x86\x48\xce\x3d\x04\x01";
constexpr string_view ed25519 = "\x2b\x65\x70";
constexpr string_view ed448 = "\x2b\x65\x71";
constexpr string_view p521{"\x2b\x81\x04\0\x23", 5};

// ---- PEM

constexpr string_view begin = "-----BEGIN ";
constexpr string_view dashes = "-----";

struct Block {
  string_view label;
  string_view body;
};

// Takes the first block of `text`; nothing: there is none that ends.
std::optional<Block> next_block(string_view& text) {
  const std::size_t at = text.find(begin);
  if (at == string_view::npos) return {};
  text.remove_prefix(at + begin.size());
  const std::size_t label_end = text.find(dashes);
  if (label_end == string_view::npos) return {};
  Block block{.label = text.substr(0, label_end), .body = {}};
  text.remove_prefix(label_end + dashes.size());
  const std::string last = "-----END " + std::string(block.label) + "-----";
  const std::size_t body_end = text.find(last);
  if (body_end == string_view::npos) return {};
  block.body = text.substr(0, body_end);
  text.remove_prefix(body_end + last.size());
  return block;
}

std::optional<std::string> decoded(string_view body) {
  std::string digits;
  for (const char c : body) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') digits += c;
  }
  std::string out(digits.size(), '\0');
  std::size_t size = 0;
  if (mbedtls_base64_decode(reinterpret_cast<unsigned char*>(out.data()), out.size(), &size,
                            reinterpret_cast<const unsigned char*>(digits.data()),
                            digits.size()) != 0) {
    return {};
  }
  out.resize(size);
  return out;
}

bool is_certificate(string_view label) {
  return label == "CERTIFICATE" || label == "X509 CERTIFICATE" || label == "TRUSTED CERTIFICATE";
}

constexpr string_view request_problem =
    "this is a request for a certificate; the certificate that the authority made of it is wanted "
    "here";
constexpr string_view pkcs7_problem =
    "this is PKCS#7; take the certificates out of it with "
    "`openssl pkcs7 -print_certs -in FILE -out cert.pem`";
constexpr string_view pkcs12_problem =
    "this is PKCS#12 (.p12, .pfx); make two files of it with "
    "`openssl pkcs12 -in FILE -nokeys -out cert.pem` and "
    "`openssl pkcs12 -in FILE -nocerts -nodes -out key.pem`";

}  // namespace

std::string other_kind(base::Bytes file) {
  string_view text = base::text_of(file);
  if (text.find(begin) != string_view::npos) {
    while (const auto block = next_block(text)) {
      if (block->label.ends_with("CERTIFICATE REQUEST")) return std::string(request_problem);
      if (block->label == "PKCS7") return std::string(pkcs7_problem);
    }
    return {};
  }
  const auto outer = next_value(text);
  if (!outer || outer->tag != sequence) return {};
  string_view rest = outer->content;
  const auto first = next_value(rest);
  if (first && first->tag == integer && first->content == "\x03") {
    return std::string(pkcs12_problem);
  }
  if (first && first->tag == sequence) {
    // A request begins with its version, 0; a certificate has its own in a tag.
    string_view in_first = first->content;
    const auto version = next_value(in_first);
    const auto subject = next_value(in_first);
    if (version && version->tag == integer && version->content.size() == 1 && subject &&
        subject->tag == sequence && version->content[0] == '\0') {
      return std::string(request_problem);
    }
  }
  return {};
}

base::Result<std::vector<std::string>, std::string> certificates_in(base::Bytes file) {
  std::vector<std::string> out;
  string_view text = base::text_of(file);
  if (text.find(begin) == string_view::npos) {
    const auto outer = next_value(text);
    if (!outer || outer->tag != sequence) {
      return Failed("not a certificate, neither in PEM nor in DER");
    }
    out.emplace_back(outer->whole);
    return out;
  }
  const bool has_certificate = text.find("CERTIFICATE-----") != string_view::npos;
  bool has_key = false;
  while (text.find(begin) != string_view::npos) {
    const auto block = next_block(text);
    if (!block) return Failed("broken: a block of it does not end");
    has_key = has_key || block->label.ends_with("PRIVATE KEY");
    if (!is_certificate(block->label)) continue;
    auto der = decoded(block->body);
    string_view rest = der ? string_view(*der) : string_view();
    // Behind a trusted certificate OpenSSL says what it is trusted for.
    const auto outer = next_value(rest);
    if (!outer || (!rest.empty() && block->label != "TRUSTED CERTIFICATE")) {
      return Failed("broken: its certificate " + std::to_string(out.size() + 1) +
                    " is cut or changed");
    }
    out.emplace_back(outer->whole);
  }
  if (!out.empty()) return out;
  if (has_key && !has_certificate) {
    return Failed("this is a private key; the certificate is wanted here");
  }
  return Failed("it holds no certificate");
}

std::string algorithm_problem(string_view der) {
  const auto parts = parts_of(der);
  if (!parts) return {};
  if (parts->key_algorithm == ed25519 || parts->key_algorithm == ed448) {
    return "its key is for Ed25519 or Ed448, which browsers do not take; make a key for ECDSA on "
           "P-256, and have a certificate made for that";
  }
  if (parts->key_parameters == p521) {
    return "its key is on the curve P-521, which is not supported; make one on P-256, and have a "
           "certificate made for that";
  }
  for (const string_view old : {sha1_with_rsa, md5_with_rsa, ecdsa_with_sha1}) {
    if (parts->signature_algorithm == old) {
      return "it is signed with SHA-1 or MD5, which clients refuse; have one made that is signed "
             "with SHA-256";
    }
  }
  return {};
}

bool is_root(string_view der) {
  const auto parts = parts_of(der);
  return parts && parts->issuer == parts->subject;
}

std::string without_trailing_blanks(string_view text) {
  std::string out;
  out.reserve(text.size() + 1);  // with a NUL behind it: a copy that is moved is never wiped
  for (const char c : text) {
    if (c == '\n') {
      while (!out.empty() && (out.back() == ' ' || out.back() == '\t' || out.back() == '\r')) {
        out.pop_back();
      }
    }
    out += c;
  }
  return out;
}

}  // namespace tls
