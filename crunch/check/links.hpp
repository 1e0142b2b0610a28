// SPDX-License-Identifier: ISC
// crunch/check/links.hpp: every reference of every page and style sheet, resolved and asked for.
//
// States:  check_links.   Used by: crunch/check/check.
// Order:   all pages are read for their ids and their base, then once more for what they refer to:
//          so nothing is kept of a page but the digests of its ids.
// Bounds:  a page is read up to page_bytes_max; memory is 8 bytes for each id of the site.
// Passed over: addresses of other sites; fragments that scripts take for addresses of theirs
//          ("#/route", "#!route") or that name text ("#:~:text="); "#top"; forms that post.

#pragma once

#include "crunch/check/findings.hpp"
#include "crunch/check/site.hpp"

namespace crunch::check {

inline constexpr std::size_t page_bytes_max = std::size_t{32} << 20U;

// Adds to `report`, in the order of the files.
void check_links(const Site& site, unsigned threads, Report& report);

}  // namespace crunch::check
