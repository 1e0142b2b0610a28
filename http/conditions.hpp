// SPDX-License-Identifier: ISC
// http/conditions.hpp: conditional requests, in the order of RFC 9110 section 13.2.2.
//
// Choice:  a value has several representations, each with its own entity tag. When a client names
//          the tag of one that it accepts, that one is selected, so that what it holds already
//          counts (RFC 9110 section 12.1 leaves the selection to the server). Otherwise the first
//          of the offer is.
// May include: std, kv/kv.hpp, http/{request,negotiate,date}.

#pragma once

#include <cstdint>
#include <string_view>

#include "http/negotiate.hpp"
#include "http/request.hpp"
#include "kv/kv.hpp"

namespace http {

enum class Verdict : std::uint8_t {
  proceed,       // answer as if there were no condition
  not_modified,  // 304
  failed,        // 412
};

// The value as this request sees it.
struct Selection {
  Verdict verdict = Verdict::proceed;
  kv::Encoding encoding = kv::Encoding::identity;
  bool ranges_apply = false;  // there is a Range, and If-Range, if any, holds for `range_encoding`
  kv::Encoding range_encoding = kv::Encoding::identity;
};

// `offer` is not empty. Only for GET and HEAD of a value that would be answered with 200.
[[nodiscard]] Selection select(const Request& request, const kv::Stat& stat, const Offer& offer,
                               std::int64_t now_s) noexcept;

// Takes the next entity tag, without its quotes, off a list (RFC 9110 section 8.8.3). False: there
// is none, or what comes is none, "*" included; then the rest of the list says nothing.
[[nodiscard]] bool next_etag(std::string_view& list, std::string_view& tag, bool& is_weak) noexcept;

}  // namespace http
