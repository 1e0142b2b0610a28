// SPDX-License-Identifier: ISC
// base/nearest.hpp: the known word that is nearest to a mistyped one.

#pragma once

#include <span>
#include <string_view>

namespace base {

// The one of `known` with the fewest changed, missing, extra or swapped characters from `word`;
// a capital for a small letter, or the reverse, is no change. Empty if even that one differs in
// more than a third of its length (at least 1, at most 3 characters).
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> known);

}  // namespace base
