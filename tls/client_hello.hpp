// SPDX-License-Identifier: ISC
// tls/client_hello.hpp: what of a ClientHello is looked at before mbedTLS has it.
//
// States:  Preference, the numbers of suites.   Used by: tls/engine.cpp, tls/session.cpp.
// Source:  RFC 8446 section 4.1.2; IANA's registries of TLS parameters.
// May include: base.

#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace tls {

namespace suite {
inline constexpr int aes_128_1_3 = 0x1301;
inline constexpr int aes_256_1_3 = 0x1302;
inline constexpr int chacha20_1_3 = 0x1303;
inline constexpr int aes_128_ecdsa = 0xc02b;
inline constexpr int aes_128_rsa = 0xc02f;
inline constexpr int aes_256_ecdsa = 0xc02c;
inline constexpr int aes_256_rsa = 0xc030;
inline constexpr int chacha20_ecdsa = 0xcca9;
inline constexpr int chacha20_rsa = 0xcca8;
}  // namespace suite

// Which suites the policy prefers for a client whose first record this is (exposed for its test).
// `none`: the client's suites could not be read there; mbedTLS then goes by the client's order.
enum class Preference : std::uint8_t { none, aes_128, aes_256, chacha20 };
[[nodiscard]] Preference preference_for(base::Bytes first_record, bool has_aes);

// The host that a hello names whose only protocol is acme-tls/1 (RFC 8737 section 3); empty: it is
// none of those. Refers to the record.
[[nodiscard]] std::string_view challenged_name(base::Bytes first_record);

}  // namespace tls
