// SPDX-License-Identifier: ISC
// tls/hello_faults.hpp: what a ClientHello may not say, found before mbedTLS reads it.
//
// States:  Hello, read_hello, fault_of.   Used by: tls/engine.cpp, tls/condensed_hello.cpp.
// Why:     mbedTLS ignores some of these faults, names others wrongly, and finds a bad key share
//          only after its ServerHello.
// Source:  RFC 8446 section 4.1.2 and 4.2; RFC 6066 section 3; RFC 7301 section 3.1; RFC 8422
//          section 5.1; RFC 7627 section 5.1.   May include: base, tls/records.hpp.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "tls/records.hpp"

namespace tls {

namespace extension {
inline constexpr std::size_t server_name = 0;
inline constexpr std::size_t supported_groups = 10;
inline constexpr std::size_t point_formats = 11;
inline constexpr std::size_t signature_algorithms = 13;
inline constexpr std::size_t protocols = 16;
inline constexpr std::size_t encrypt_then_mac = 22;
inline constexpr std::size_t extended_master_secret = 23;
inline constexpr std::size_t session_ticket = 35;
inline constexpr std::size_t pre_shared_key = 41;
inline constexpr std::size_t early_data = 42;
inline constexpr std::size_t supported_versions = 43;
inline constexpr std::size_t cookie = 44;
inline constexpr std::size_t psk_modes = 45;
inline constexpr std::size_t signature_algorithms_cert = 50;
inline constexpr std::size_t key_share = 51;
inline constexpr std::size_t renegotiation_info = 0xff01;
}  // namespace extension

// NamedGroup: RFC 8446 section 4.2.7.
namespace group {
inline constexpr std::size_t p256 = 23;
inline constexpr std::size_t p384 = 24;
inline constexpr std::size_t p521 = 25;
inline constexpr std::size_t x25519 = 29;
inline constexpr std::size_t x448 = 30;
}  // namespace group

// Big-endian numbers and lists, read from the front; what is not there makes the reader bad.
class HelloReader {
 public:
  explicit HelloReader(base::Bytes bytes) : left_(bytes) {}
  [[nodiscard]] bool is_bad() const noexcept { return bad_; }
  [[nodiscard]] bool at_end() const noexcept { return bad_ || left_.empty(); }
  // All was there, and nothing is left.
  [[nodiscard]] bool ended_well() const noexcept { return !bad_ && left_.empty(); }

  base::Bytes take(std::size_t size);
  std::size_t number(int size_bytes);
  // A list behind its length in bytes.
  base::Bytes list(int size_bytes) { return take(number(size_bytes)); }

 private:
  base::Bytes left_;
  bool bad_ = false;
};

// The parts of a hello, which refer to it. Extensions are only cut from each other.
struct Hello {
  std::size_t version = 0;
  base::Bytes random;
  base::Bytes session_id;
  base::Bytes suites;
  base::Bytes compressions;
  base::Bytes extensions;

  [[nodiscard]] std::optional<base::Bytes> find(std::size_t type) const;
  // The host that it names; empty: none. The extension is well-formed.
  [[nodiscard]] std::string_view host() const;
  // The key share of a group, if it wants TLS 1.3. The extension is well-formed.
  [[nodiscard]] std::optional<base::Bytes> share_of(std::size_t group) const;
  // It has supported_versions, and 1.3 among them.
  [[nodiscard]] bool wants_1_3() const;
};

// `message` is whole, with its type and length. The alert: it is malformed.
[[nodiscard]] base::Result<Hello, Alert> read_hello(base::Bytes message);

// The alert that an extension asks for which is malformed, comes twice or contradicts another one.
[[nodiscard]] std::optional<Alert> fault_of(const Hello& hello);

// TLS 1.3 only: no certificate can be shown to this client, and no ticket can take its place.
// `can_sign` tells whether the server has a key for a SignatureScheme.
template <class CanSign>
[[nodiscard]] bool lacks_signature(const Hello& hello, CanSign can_sign) {
  const auto offered = hello.find(extension::signature_algorithms);
  if (!hello.wants_1_3() || !offered || hello.find(extension::pre_shared_key)) return false;
  HelloReader reader(*offered);
  for (HelloReader schemes(reader.list(2)); !schemes.at_end();) {
    if (can_sign(schemes.number(2))) return false;
  }
  return true;
}

// A share of X25519 whose product with any secret is zero (RFC 7748 section 6.1): exposed for its
// test.
[[nodiscard]] bool is_of_low_order(base::Bytes share);

}  // namespace tls
