// SPDX-License-Identifier: ISC
// http/negotiate.hpp: which representations a client accepts, and which is the best.
//
// Source:  RFC 9110 section 12.5.3 (Accept-Encoding).
// Policy:  by quality, then by size, then the less work for the client (identity first). Without
//          the field, or with an empty one: identity only, since a client that says nothing is
//          seldom one that decodes. A list that does not name identity accepts it last. An element
//          that is malformed is as if not there.

#pragma once

#include <cstdint>

#include "http/request.hpp"
#include "kv/kv.hpp"

namespace http {

// The encodings of one value that a client accepts.
struct Offer {
  std::uint8_t accepted = 0;  // bit i: encoding i is; none: nothing is acceptable (406)
  kv::Encoding best = kv::Encoding::identity;

  [[nodiscard]] bool is_empty() const { return accepted == 0; }
  [[nodiscard]] bool has(kv::Encoding encoding) const {
    return ((accepted >> kv::index_of(encoding)) & 1U) != 0;
  }
};

[[nodiscard]] Offer negotiate(const Request& request, const kv::Stat& stat) noexcept;

}  // namespace http
