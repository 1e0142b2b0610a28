// SPDX-License-Identifier: ISC
// crunch/check/css.hpp: the addresses that a style sheet, or a style attribute, loads.
//
// States:  for_each_css_url.   Used by: crunch/check/references.
// Reads:   url(...), quoted or not, and the strings of @import; never comments, other strings, or
//          the names of @namespace. Escapes are resolved. One pass.
// Source:  CSS Syntax Level 3, sections 4.3.4 to 4.3.7.

#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace crunch::check {

// `take` is told each address with the line that it begins on; `line` is the first one's number.
void for_each_css_url(std::string_view css, std::uint32_t line,
                      const std::function<void(std::string_view url, std::uint32_t line)>& take);

}  // namespace crunch::check
