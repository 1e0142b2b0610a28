// SPDX-License-Identifier: ISC
// http/respond.hpp: what is answered, decided and put into words, without a store, a flow or a
// framing.
//
// Used by: http/exchange.   Nothing here allocates or waits.
// Source:  RFC 9110 sections 8, 9, 12 to 15.
// May include: std, kv/kv.hpp, http's pure parts.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "http/head_sink.hpp"
#include "http/options.hpp"
#include "http/ranges.hpp"
#include "http/request.hpp"
#include "http/status.hpp"
#include "http/target.hpp"
#include "http/writer.hpp"
#include "kv/kv.hpp"

namespace http {

// What an answer depends on beside the request and the value.
struct Circumstances {
  std::int64_t now_s = 0;
  std::size_t ranges_max = ranges_limit;
  std::uint32_t hsts_s = 0;  // 0: not said
};

// An answer whose head was given to a HeadSink.
struct Answer {
  enum class Body : std::uint8_t {
    none,
    page,   // a page of our own that says `status`
    text,   // respond_with_text()'s
    value,  // ranges[0] of the value
    parts,  // multipart/byteranges: each range behind a head of its own, and an end
  };
  Status status = Status::ok;
  Body body = Body::none;
  kv::Encoding encoding = kv::Encoding::identity;
  std::uint8_t range_count = 0;
  std::uint64_t body_bytes = 0;
  std::array<Range, ranges_limit> ranges;
};

// A value that was found: 200, 206, 304, 406, 412 or 416.
void respond_with_value(const Request& request, kv::Key key, const kv::Stat& stat,
                        const Circumstances& now, HeadSink& head, Answer& answer);

// A page of the site's own that says `status`: 404, mostly. Validators and ranges are of what was
// asked for, and that is not there.
void respond_with_page(Status status, const Request& request, kv::Key key, const kv::Stat& stat,
                       const Circumstances& now, HeadSink& head, Answer& answer);

// A Location longer than this is answered with 414.
inline constexpr std::size_t location_bytes_max = std::size_t{10} * 1024;

// A redirect that the site's rules say, to what is ready for Location. No body.
void respond_with_location(Status status, std::string_view location, const Circumstances& now,
                           HeadSink& head, Answer& answer);

// 401: who asks is to say a name and a password (RFC 7617).
void respond_with_challenge(const Request& request, const Circumstances& now, HeadSink& head,
                            Answer& answer);

// 301 to the dictionary `key` with a slash behind it, query kept.
void respond_with_slash(const Request& request, kv::Key key, std::string_view query,
                        const Circumstances& now, HeadSink& head, Answer& answer);

// 308 to the same target by https. `target` is well-formed, and its authority is known.
void respond_with_https(const Request& request, const Target& target, std::uint16_t port,
                        const Circumstances& now, HeadSink& head, Answer& answer);

// The answer to OPTIONS: 204 with Allow.
void respond_with_options(const Circumstances& now, HeadSink& head, Answer& answer);

// A page of our own that says `status` and no more. `request`, as far as it was read, tells whether
// a body is wanted.
void respond_with_status(Status status, const Request& request, const Circumstances& now,
                         HeadSink& head, Answer& answer);

// 200 with a text of `size_bytes`, at most text_bytes_max, for a program.
void respond_with_text(std::size_t size_bytes, const Request& request, const Circumstances& now,
                       HeadSink& head, Answer& answer);

// ---- texts of bodies, each at most text_bytes_max -----------------------------------------------

inline constexpr std::size_t text_bytes_max = 512;

void write_page(Status status, Writer& out);
// In front of `range` of a Body::parts of one form of the value `key`, and behind the last one.
void write_part_head(kv::Key key, const kv::Form& form, const Range& range, Writer& out);
void write_parts_end(const kv::Form& form, Writer& out);

}  // namespace http
