// SPDX-License-Identifier: ISC
// http/site/auth.hpp: which addresses of a site ask for a name and a password, and who may enter.
//
// Rules:   Of the locks that fit an address the last one counts: those of [auth], then those of
//          _headers in the order of the file. An exception of [auth] opens what only [auth] locks.
//          Locks fit in any case of letters and with or without a slash at the end; exceptions do
//          not. What a certificate's issuer asks for is always open.
// Time:    one SHA-256 for each request with credentials. Names and digests are compared in a time
//          that does not depend on where they differ.
// Source:  RFC 7617.   May include: base, crypto, http/site.

#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "http/site/plan.hpp"

namespace http::site {

// Longer names, salts and passwords are refused.
inline constexpr std::size_t credential_bytes_max = 256;

using PasswordDigest = std::array<std::byte, digest_bytes>;
// SHA-256 of the salt, followed by the password.
[[nodiscard]] PasswordDigest digest_of_password(std::string_view salt,
                                                std::string_view password) noexcept;

enum class Access : std::uint8_t { open, granted, denied };

// `address` is in normal form, `host` without its port; `authorization` is the field's value.
[[nodiscard]] Access access_of(const Plan& plan, const SiteRecord& site, std::string_view address,
                               std::string_view host, std::string_view authorization) noexcept;

}  // namespace http::site
