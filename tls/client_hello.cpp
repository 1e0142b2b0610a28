// SPDX-License-Identifier: ISC
#include "tls/client_hello.hpp"

#include <optional>

namespace tls {

namespace {

// Record header 5, handshake header 4, version 2, random 32; then session id and suites.
constexpr std::size_t session_id_at = 5 + 4 + 2 + 32;

}  // namespace

Preference preference_for(base::Bytes record, bool has_aes) {
  auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(record[at]); };
  if (record.size() <= session_id_at || byte(0) != 22 || byte(5) != 1) return Preference::none;
  const std::size_t suites_at = session_id_at + 1 + byte(session_id_at) + 2;
  if (record.size() < suites_at) return Preference::none;
  const std::size_t suites_bytes = byte(suites_at - 2) << 8 | byte(suites_at - 1);
  if (record.size() < suites_at + suites_bytes) return Preference::none;

  // The client's suites that are ours, of 1.3 if it has any of those.
  struct Offer {
    bool aes_128 = false, aes_256 = false, chacha20 = false, chacha20_first = false;
    void add(Preference kind) {
      if (!aes_128 && !aes_256 && !chacha20) chacha20_first = kind == Preference::chacha20;
      (kind == Preference::aes_128   ? aes_128
       : kind == Preference::aes_256 ? aes_256
                                     : chacha20) = true;
    }
    [[nodiscard]] bool any() const { return aes_128 || aes_256 || chacha20; }
  };
  Offer of_1_3;
  Offer of_1_2;
  using namespace suite;
  for (std::size_t at = suites_at; at + 1 < suites_at + suites_bytes; at += 2) {
    switch (static_cast<int>(byte(at) << 8 | byte(at + 1))) {
      case aes_128_1_3:
        of_1_3.add(Preference::aes_128);
        break;
      case aes_256_1_3:
        of_1_3.add(Preference::aes_256);
        break;
      case chacha20_1_3:
        of_1_3.add(Preference::chacha20);
        break;
      case aes_128_ecdsa:
      case aes_128_rsa:
        of_1_2.add(Preference::aes_128);
        break;
      case aes_256_ecdsa:
      case aes_256_rsa:
        of_1_2.add(Preference::aes_256);
        break;
      case chacha20_ecdsa:
      case chacha20_rsa:
        of_1_2.add(Preference::chacha20);
        break;
      default:
        break;
    }
  }
  const Offer& offer = of_1_3.any() ? of_1_3 : of_1_2;
  if (!offer.any()) return Preference::none;
  if (offer.chacha20 && (offer.chacha20_first || !has_aes)) return Preference::chacha20;
  return offer.aes_128   ? Preference::aes_128
         : offer.aes_256 ? Preference::aes_256
                         : Preference::chacha20;
}

namespace {

std::size_t byte_at(base::Bytes bytes, std::size_t at) {
  return std::to_integer<std::size_t>(bytes[at]);
}
std::size_t number_at(base::Bytes bytes, std::size_t at) {
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

// The content of an extension; nothing: the hello has none of this type, or is not whole.
std::optional<base::Bytes> extension_in(base::Bytes record, std::size_t type) {
  if (preference_for(record, true) == Preference::none) return {};  // no suites, or not whole
  const std::size_t suites_at = session_id_at + 1 + byte_at(record, session_id_at) + 2;
  const std::size_t compression_at = suites_at + number_at(record, suites_at - 2);
  if (record.size() <= compression_at) return {};
  std::size_t at = compression_at + 1 + byte_at(record, compression_at) + 2;
  while (at + 4 <= record.size()) {
    const std::size_t size = number_at(record, at + 2);
    if (number_at(record, at) == type) {
      if (record.size() - at - 4 < size) return {};
      return record.subspan(at + 4, size);
    }
    at += 4 + size;
  }
  return {};
}

}  // namespace

std::string_view challenged_name(base::Bytes record) {
  constexpr std::size_t server_name = 0;
  constexpr std::size_t protocols = 16;
  // RFC 7301 section 3.1: the list's length, then each protocol with its own.
  constexpr std::string_view only_acme(
      "\0\x0b\x0a"
      "acme-tls/1",
      13);
  const auto offered = extension_in(record, protocols);
  if (!offered || base::text_of(*offered) != only_acme) return {};
  // RFC 6066 section 3: the list's length, then type 0, the name's length and the name.
  const auto named = extension_in(record, server_name);
  if (!named || named->size() < 5 || byte_at(*named, 2) != 0) return {};
  const std::size_t size = number_at(*named, 3);
  return named->size() - 5 < size ? std::string_view() : base::text_of(named->subspan(5, size));
}

}  // namespace tls
