// SPDX-License-Identifier: ISC
// net/resolver/special.hpp: names whose addresses are known without asking.
//
// States:  known_without_asking, text_of.   Source: RFC 6761 sections 6.3 and 6.4, RFC 7686.
// May include: base, net.

#pragma once

#include <optional>
#include <string_view>

#include "net/resolver/cache.hpp"

namespace net::resolver {

// Nothing: it has to be asked for.
[[nodiscard]] std::optional<Answer> known_without_asking(std::string_view name, Type type) noexcept;

// "does not exist", as it follows a name.
[[nodiscard]] std::string_view text_of(Error error) noexcept;

}  // namespace net::resolver
