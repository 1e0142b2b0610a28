// SPDX-License-Identifier: ISC
// http/caching.hpp: what a static site's file names say about caching.
//
// Used by: http/head, crunch/embed.   May include: std, http/mime.
// Rule:    a wrong `immutable` keeps a stale file in browsers for a year, a missed one costs a
//          revalidation; so a name is fingerprinted only when it can hardly be anything else.

#pragma once

#include <string_view>

namespace http {

// Does the name carry a digest of the content, so that other content has another name? Knows what
// Hugo, webpack, Vite, Rollup, esbuild, Angular, mdBook, Sprockets and jekyll-assets write, and the
// folders in which Next, Nuxt, SvelteKit and Astro keep nothing else. Never true of HTML.
[[nodiscard]] bool is_fingerprinted(std::string_view key) noexcept;

// The Cache-Control field's value: "public, max-age=31536000, immutable" for fingerprinted names,
// else "no-cache", which lets caches keep it and makes them ask (RFC 9111 section 5.2.2.4).
[[nodiscard]] std::string_view cache_control(std::string_view key) noexcept;

}  // namespace http
