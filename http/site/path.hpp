// SPDX-License-Identifier: ISC
// http/site/path.hpp: the one form in which paths of requests and of rules are compared.
//
// Normal:  begins with '/'; unreserved characters stand for themselves, escapes have capital
//          letters, what a path cannot hold is escaped; dots are resolved; "//" is "/". Reserved
//          characters stay as they are written: "/a@b" and "/a%40b" are two paths.
// Source:  RFC 3986 sections 2.3, 3.3 and 6.2.2.
// May include: std.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace http::site {

// Writes the normal form of `path`, which ends before any '?' or '#'. At most 3 * path.size() + 1
// bytes come out; `out` too small: an empty result.
[[nodiscard]] std::string_view normal_path(std::string_view path, std::span<char> out) noexcept;

// The same for programs that may allocate. `keep`: "//" stays, but for one at the front.
enum class Slashes : std::uint8_t { fold, keep };
[[nodiscard]] std::string normal_path(std::string_view path, Slashes slashes = Slashes::fold);

}  // namespace http::site
