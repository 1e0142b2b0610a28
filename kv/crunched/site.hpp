// SPDX-License-Identifier: ISC
// kv/crunched/site.hpp: what generated C++ defines: where an embedded directory's parts are.
//
// Used by: kv/crunched/table.hpp, and the C++ that `crunch embed` writes, which includes no more
// than this so that it compiles in a quarter of the time.

#pragma once

#include <string_view>

#include "base/bytes.hpp"

namespace kv::crunched {

// One for each embedded directory: `extern const kv::crunched::Site crunched_<name>;` at global
// scope, C linkage.
struct Site {
  std::string_view name;
  base::Bytes index;    // aligned to index_alignment
  base::Bytes content;  // aligned to content_alignment
};

}  // namespace kv::crunched
