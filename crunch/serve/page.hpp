// SPDX-License-Identifier: ISC
// crunch/serve/page.hpp: what the preview adds to pages, and the requests that these make.
//
// Keys:    .crunch/reload.js         the script; every HTML page ends with a line that loads it
//          .crunch/findings          what is wrong with the site's rules, a line for each; the page
//                                    shows it above itself until it is mended
//          .crunch/since-VERSION     what has changed since VERSION, as an event stream that ends
// Script:  a page listens while it can be seen (a browser opens six connections to one server, and
//          ten tabs in the background must not hold them all); when it comes to the front it asks
//          what it has missed, which the version tells. It reloads only when its address answers
//          as well as before: a generator may have deleted a page that it is about to write.
//          If the page that a reload brings is as old as the one before, a service worker answers
//          in our place: the page says so and stays as it is, or it would reload for ever.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crunch/serve/changes.hpp"
#include "kv/field_pool.hpp"

namespace crunch::serve {

inline constexpr std::string_view own_directory = ".crunch";
inline constexpr std::string_view script_name = "reload.js";
inline constexpr std::string_view findings_name = "findings";
inline constexpr std::string_view since_name = "since-";

// Sixteen hexadecimal digits; nothing else is a version.
[[nodiscard]] std::string text_of(Version version);
[[nodiscard]] std::optional<Version> version_of(std::string_view text) noexcept;

[[nodiscard]] std::string_view script() noexcept;

// Whether the line can be put after `html`: not in an encoding that it is not ASCII in.
[[nodiscard]] bool can_append_to(std::string_view html) noexcept;
// The line that goes after the page; its size is the same for every version. `has_base`: the page
// has a <base>, which must not lead the script's address elsewhere.
[[nodiscard]] std::string line_for(Version version, bool has_base);

// The event stream's body; its size is always the same.
[[nodiscard]] std::string events_of(Change change, Version version);
// Its response fields.
[[nodiscard]] kv::HeadFields events_head();

}  // namespace crunch::serve
