// SPDX-License-Identifier: ISC
// http/mime.hpp: a key's media type, from its name alone.
//
// Used by: http/head, crunch/embed.   May include: std.
// Names:   the extension decides, in any case. What mirrors put behind a name is no part of it
//          ("app.js?ver=1.11.1", "style.css@v3"); files of .well-known without an extension have
//          the type that their registration says.
// Source:  the IANA registries of media types and of well-known URIs; RFC 9239 (JavaScript); RFC
//          8259 (JSON has no charset).

#pragma once

#include <span>
#include <string_view>

namespace http {

struct MediaType {
  std::string_view extension;  // in small letters
  std::string_view type;       // ready for Content-Type
};

inline constexpr std::string_view unknown_type = "application/octet-stream";

// The media type of the value at `key`, ready for Content-Type; `unknown_type` when nothing is
// known. Types that are text and do not name their own charset say "; charset=utf-8". The result
// is a literal.
[[nodiscard]] std::string_view media_type(std::string_view key) noexcept;

// The same with a table for what ours does not know, sorted by extension.
[[nodiscard]] std::string_view media_type(std::string_view key,
                                          std::span<const MediaType> more) noexcept;

// Is it worth trying to compress? False for what is compressed already.
[[nodiscard]] bool is_compressible(std::string_view media_type) noexcept;

// Is it an HTML page (a page that is read by its name, so never immutable)?
[[nodiscard]] bool is_html(std::string_view media_type) noexcept;

}  // namespace http
