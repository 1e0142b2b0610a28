// SPDX-License-Identifier: ISC
#include "tls/client_hello.hpp"

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

bool announces_early_data(base::Bytes record) {
  constexpr std::size_t early_data = 42;
  if (preference_for(record, true) == Preference::none) return false;  // no suites, or not whole
  auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(record[at]); };
  auto number = [&](std::size_t at) { return byte(at) << 8 | byte(at + 1); };
  const std::size_t suites_at = session_id_at + 1 + byte(session_id_at) + 2;
  const std::size_t compression_at = suites_at + number(suites_at - 2);
  if (record.size() <= compression_at) return false;
  std::size_t at = compression_at + 1 + byte(compression_at) + 2;
  while (at + 4 <= record.size()) {
    if (number(at) == early_data) return true;
    at += 4 + number(at + 2);
  }
  return false;
}

}  // namespace tls
