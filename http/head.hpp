// SPDX-License-Identifier: ISC
// http/head.hpp: the fields that describe one representation, made once and cut as needed.
//
// Layout:  ETag, Cache-Control, [Vary], [Last-Modified] (what a 304 repeats, RFC 9110 section
//          15.4.5); Content-Type; [Content-Encoding], Accept-Ranges, X-Content-Type-Options;
//          Content-Length; the empty line. Each line ends in CRLF. What belongs to an answer and
//          not to the representation (status line, Date, Connection) is the server's.
// Used by: crunch/embed, which stores such texts as kv::Form::head, and http/respond, which cuts
//          them.
// May include: std, kv/kv.hpp, http/{caching,mime,date,writer}.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kv/kv.hpp"

namespace http {

struct HeadOf {
  std::string_view key;
  kv::Encoding encoding = kv::Encoding::identity;
  kv::Digest digest{};
  std::uint64_t size_bytes = 0;
  std::int64_t modified_s = 0;  // left out where a date cannot say it
  bool varies = false;          // the value has more than one representation
};

// More than any head takes: every part of it is bounded.
inline constexpr std::size_t head_bytes_max = 512;

[[nodiscard]] std::string make_head(const HeadOf& head);

// The same into a buffer of at least head_bytes_max; answers the part written.
[[nodiscard]] std::string_view write_head(const HeadOf& head, std::span<char> out) noexcept;

// A head cut at the places where answers differ. The parts borrow from the head.
struct HeadParts {
  std::string_view validators;     // ETag, Cache-Control, [Vary], [Last-Modified]
  std::string_view cacheability;   // of those, Cache-Control and [Vary]
  std::string_view last_modified;  // the last line of `validators`, or empty
  std::string_view content_type;   // one line
  std::string_view middle;         // [Content-Encoding], Accept-Ranges, X-Content-Type-Options
  std::string_view accept_ranges;  // the line of `middle`
  std::string_view length;         // Content-Length and the empty line
};

// `head` must be in the layout above: made by make_head, possibly in another process. Of any other
// text the parts are empty.
[[nodiscard]] HeadParts parts_of(std::string_view head) noexcept;

// The fields of a 304, without the empty line.
[[nodiscard]] std::string_view fields_of_304(std::string_view head) noexcept;

// The fields of a 206 with one range: all but Content-Length, without the empty line.
[[nodiscard]] std::string_view fields_of_206(std::string_view head) noexcept;

}  // namespace http
