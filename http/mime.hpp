// SPDX-License-Identifier: ISC
// http/mime.hpp: a key's media type, from its extension alone.
//
// Used by: http/server, crunch/embed.   May include: std.
// Source:  the IANA registry of media types; RFC 9239 (JavaScript); RFC 8259 (JSON has no charset).

#pragma once

#include <string_view>

namespace http {

// The media type of the value at `key`, ready for Content-Type: by the extension, in any case.
// "application/octet-stream" when nothing is known. Types that are text and do not name their own
// charset say "; charset=utf-8". The result is a literal.
[[nodiscard]] std::string_view media_type(std::string_view key) noexcept;

// Is it worth trying to compress? False for what is compressed already.
[[nodiscard]] bool is_compressible(std::string_view media_type) noexcept;

// Is it an HTML page (a page that is read by its name, so never immutable)?
[[nodiscard]] bool is_html(std::string_view media_type) noexcept;

}  // namespace http
