// SPDX-License-Identifier: ISC
// http/caching.hpp: what a static site's file names say about caching.
//
// Used by: http/head, crunch/embed.   May include: std, http/mime.
// Rule:    a wrong `immutable` keeps a stale file in browsers for a year, a missed one costs a
//          revalidation; so a name is fingerprinted only when it can hardly be anything else.

#pragma once

#include <cstdint>
#include <string_view>

namespace http {

// Does the name carry a digest of the content, so that other content has another name? Knows what
// Hugo, webpack, Vite, Rollup, esbuild, Angular, mdBook, Sprockets, jekyll-assets, Pagefind and
// Eleventy write, and the folders in which Next, Nuxt, SvelteKit and Astro keep nothing else.
enum class Fingerprint : std::uint8_t {
  absent,    // of HTML always
  possible,  // "index-DiwrgTda.js": a digest or words; the folder's other names may tell
  certain,
};
[[nodiscard]] Fingerprint fingerprint(std::string_view key) noexcept;

inline constexpr std::string_view immutable = "public, max-age=31536000, immutable";

// The Cache-Control field's value: `immutable` where a fingerprint is certain, else "no-cache",
// which lets caches keep it and makes them ask (RFC 9111 section 5.2.2.4).
[[nodiscard]] std::string_view cache_control(std::string_view key) noexcept;

}  // namespace http
