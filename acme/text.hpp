// SPDX-License-Identifier: ISC
// acme/text.hpp: base64 and times as ACME writes them.
//
// States:  base64url, decode_base64url, pem_text, rfc3339_seconds, retry_after_seconds.
// Source:  RFC 4648 section 5, RFC 7468, RFC 3339, RFC 9110 section 10.2.3.
// May include: base/bytes.hpp, base/calendar.hpp.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace acme {

// Without padding. `bytes` are any bytes.
[[nodiscard]] std::string base64url(std::string_view bytes);
// Nothing: a character that does not belong there, or a length that no bytes have.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);
// Only its characters, of any number but 0: nonces and tokens need not be encoded bytes.
[[nodiscard]] bool is_base64url(std::string_view text) noexcept;
// One block, with lines of 64 characters.
[[nodiscard]] std::string pem_text(std::string_view label, std::string_view der);

// Seconds since 1970-01-01 UTC of "2025-01-02T04:00:00.5Z" or "...+01:00"; parts are cut off.
[[nodiscard]] std::optional<std::int64_t> rfc3339_seconds(std::string_view text);
// When "120" or "Wed, 21 Oct 2015 07:28:00 GMT" is, asked at `now_s`.
[[nodiscard]] std::optional<std::int64_t> retry_after_seconds(std::string_view value,
                                                              std::int64_t now_s);

}  // namespace acme
