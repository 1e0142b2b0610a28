// SPDX-License-Identifier: ISC
// http/negotiate.hpp: which representations a client accepts, and in what order we offer them.
//
// Source:  RFC 9110 section 12.5.3 (Accept-Encoding).
// Policy:  by quality, then by size, then the less work for the client (identity first). Without
//          the field, or with an empty one: identity only, since a client that says nothing is
//          seldom one that decodes. A list that does not name identity accepts it last. An element
//          that is malformed is as if not there.

#pragma once

#include <array>
#include <cstdint>

#include "http/request.hpp"
#include "kv/kv.hpp"

namespace http {

// The encodings of one value that a client accepts, the best first.
struct Offer {
  std::array<kv::Encoding, kv::encoding_count> order{};
  std::uint8_t count = 0;  // 0: nothing is acceptable (406)

  [[nodiscard]] bool has(kv::Encoding encoding) const {
    for (std::uint8_t i = 0; i < count; ++i) {
      if (order[i] == encoding) return true;
    }
    return false;
  }
};

[[nodiscard]] Offer negotiate(const Request& request, const kv::Stat& stat) noexcept;

}  // namespace http
