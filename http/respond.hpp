// SPDX-License-Identifier: ISC
// http/respond.hpp: what is answered, decided and written as bytes, without a store or a flow.
//
// Used by: http/workspace.hpp.   Nothing here allocates or waits.
// Source:  RFC 9110 sections 8, 9, 12 to 15.
// May include: std, kv/kv.hpp, http's pure parts.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "http/options.hpp"
#include "http/ranges.hpp"
#include "http/request.hpp"
#include "http/status.hpp"
#include "http/target.hpp"
#include "http/writer.hpp"
#include "kv/kv.hpp"

namespace http {

// More than any answer needs in a Writer, copied bodies and long redirects apart.
inline constexpr std::size_t answer_bytes_max = std::size_t{6} * 1024;
static_assert(answer_bytes_max > 1024 + ranges_limit * 256);

// What an answer depends on beside the request and the value.
struct Circumstances {
  std::int64_t now_s = 0;
  std::string_view date;  // now_s as text
  bool close = false;     // the connection ends after this answer
  std::size_t ranges_max = ranges_limit;
  std::uint32_t hsts_s = 0;  // 0: not said
};

// An answer whose texts are in a Writer. Its bytes are those texts, with range i of the value, in
// `encoding`, put in where `text_end[i]` bytes were written.
struct Answer {
  Status status = Status::ok;
  kv::Encoding encoding = kv::Encoding::identity;
  std::uint8_t range_count = 0;
  std::uint64_t body_bytes = 0;  // all that follows the empty line: for the log
  std::array<Range, ranges_limit> ranges;
  std::array<std::size_t, ranges_limit> text_end;
};

// A value that was found: 200, 206, 304, 406, 412 or 416.
void respond_with_value(const Request& request, kv::Key key, const kv::Stat& stat,
                        const Circumstances& now, Writer& out, Answer& answer);

// A page of the site's own that says that there is nothing: 404.
void respond_with_page_404(const Request& request, kv::Key key, const kv::Stat& stat,
                           const Circumstances& now, Writer& out, Answer& answer);

// 301 to the dictionary `key` with a slash behind it, query kept. 414 if it does not fit.
void respond_with_slash(const Request& request, kv::Key key, std::string_view query,
                        const Circumstances& now, Writer& out, Answer& answer);

// 308 to the same target by https, 414 if it does not fit. `target` is well-formed and of this
// request, and its authority is known.
void respond_with_https(const Request& request, const Target& target, std::uint16_t port,
                        const Circumstances& now, Writer& out, Answer& answer);

// What a redirect to where `target` leads may take in a Writer: so that whether it fits depends on
// the request alone, a Writer with less room is to be emptied first.
[[nodiscard]] std::size_t redirect_bytes_max(const Request& request) noexcept;

// The answer to OPTIONS: 204 with Allow.
void respond_with_options(const Request& request, const Circumstances& now, Writer& out,
                          Answer& answer);

// A page of our own that says `status` and no more. `request`, as far as it was read, tells whether
// a body is wanted.
void respond_with_status(Status status, const Request& request, const Circumstances& now,
                         Writer& out, Answer& answer);

}  // namespace http
