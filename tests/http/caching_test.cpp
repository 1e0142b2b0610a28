// SPDX-License-Identifier: ISC
// tests/http/caching_test.cpp: which names are fingerprinted.
//
// Method: names as the generators write them, against names as people write them.

#include "http/caching.hpp"

#include <gtest/gtest.h>

namespace {

constexpr std::string_view fingerprinted[] = {
    // Hugo: resources.Fingerprint (sha256, sha512, md5) and processed images.
    "css/main.min.94b1ba5d8a1f6e1b6a3c4a6d6e4f7d1f8f0a1c2b3d4e5f60718293a4b5c6d7e8.css",
    "js/bundle.0a1b2c3d4e5f60718293a4b5c6d7e8f9.js",
    "posts/a/sunset_hu59e56ffff1bc1d8d122b1403d34e039f_90587_300x0_resize_q75_box.jpg",
    "posts/a/sunset_hu_7d9f3c1a2b4e5f60.webp",
    // webpack: [contenthash] is 20 digits, often cut to 8; create-react-app and Vue.
    "static/js/main.3f2a9c1b.js",
    "static/js/main.3f2a9c1b.chunk.js",
    "static/css/main.e6c13ad2.css",
    "static/js/main.3f2a9c1b.js.map",
    "static/js/2.8d4a1c0f.chunk.js.LICENSE.txt",
    "d41d8cd98f00b204e980.png",
    "runtime~main.0c1f8a2b9d3e4f5a6b7c.js",
    // Vite, Rollup: eight of base64url.
    "assets/index-BxZ8a91k.js",
    "assets/index-C3d_0xPq.css",
    "assets/vendor-a1-Bz9Kx.js",
    "assets/inter-latin-D5vD0lXf.woff2",
    // esbuild, Angular: eight of base32.
    "main-6OXTLKSD.js",
    "chunk-YVU3QBMV.js",
    "styles-5INURTSO.css",
    // mdBook
    "book-a0b12cfe.js",
    "css/general-2459343d.css",
    "elasticlunr-ef4e11c1.min.js",
    "clipboard-1626706a.min.js",
    "fonts/open-sans-v17-all-charsets-300-7736aa35.woff2",
    // Sprockets, jekyll-assets
    "assets/application-0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9.css",
    "assets/site-d41d8cd98f00b204e9800998ecf8427e.css",
    "paper-d41d8cd98f00b204e9800998ecf8427e.pdf",
    // VitePress; digests of other shapes.
    "assets/guide_index.md.Bq3kX1aZ.lean.js",
    "assets/chunks/theme.Dk3xQ9aZ.js",
    "assets/api.md.C3d_0xPq.lean.js",
    "static/media/logo.6ce24c58.svg",
    "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg",
    "media/photo-6ce24c58023cc2f8fd88fe9d219db6c6.png",
    // Folders that hold nothing else.
    "_nuxt/entry.3f2a91bc.js",
    "_nuxt/BxZ8a91k.js",
    "_next/static/chunks/framework.js",
    "_app/immutable/entry/start.js",
    "sub/_astro/index.DiwrgTda.css",
    "_nuxt/entry.js",
    // Vite, without a digit: more words than people put into eight letters.
    "assets/panel-aDkXBcQT.js",
    "assets/index-DkAWCgTx.css",
    // Pagefind, Docusaurus' local search, Eleventy's bundles.
    "pagefind/fragment/en_3a4f2b1.pf_fragment",
    "pagefind/index/de-at_60a1f0c9.pf_index",
    "pagefind/pagefind.en_5d0c5c8a4c.pf_meta",
    "search-index-31330815.json",
    "search-index-deadbeef.json",
    "bundle/oIUmjdxsDf.css",
    "de/bundle/Bz-1Kx_9aQ.js",
};

constexpr std::string_view ordinary[] = {
    "",
    "index.html",
    "cryptography.html",
    "page-a0b12cfe.html",  // HTML never is
    "_next/static/page.html",
    "index-BxZ8a91k.xhtml",
    "report-20240101.pdf",
    "report-20240101.txt",
    "photo-20240101.jpg",
    "photo-20240101a.jpg",
    "IMG_20240101_123456.jpg",
    "IMG-20240101-WA0001.jpg",
    "PXL_20240101_123456789.jpg",
    "DSC00123.JPG",
    "jquery-ui.min.js",
    "jquery-3.7.1.min.js",
    "bootstrap.bundle.js",
    "bootstrap.bundle.min.js",
    "search-index.js",
    "app-settings.js",
    "app-MyWidget.js",
    "app-MyScript.js",
    "app.controls.css",
    "lib-defaced.js",
    "lib-effaced0.js",
    "theme-face2024.css",
    "theme-cafe2023.png",
    "item-AB123456.png",
    "widget-Widget12.js",
    "wallpaper-iPhone14.png",
    "font-awesome.css",
    "fontawesome-webfont.woff2",
    "material-icons-v140.woff2",
    "searchtools.js",
    "language_data.js",
    "documentation_options.js",
    "_sphinx_javascript_frameworks_compat.js",
    "doxygen.svg",
    "annotated_dup.js",
    "classboost_1_1asio_1_1basic__socket.js",
    "group__a0b12cfe.html",
    "rfc-12345678.txt",
    "2024-01-01-12345678.png",
    "photo-123e4567-e89b-12d3-a456-4266141740ab.jpg",
    "archive-1234567890123456789012345678901234567890.zip",
    "data-0123abcd.pdf",
    "x86_64-linux-gnu.png",
    "my_hue.png",
    "deadbeef.js",
    "a0b12cfe.js",
    ".3f2a9c1b",
    "-.js",
    "3f2a9c1b",
    "my_next/static/app.js",
    // Words beside a dash.
    "Wiki-Entry1-1.png",
    "Wiki-Photo2-3.png",
    "Wiki-Chart-Abc12-x1.png",
    "Wiki-Table3_2.png",
    "Doc-Win32Api.js",
    "Doc-WIN32API.js",
    "Doc-Html5Api.js",
    "pkg-Http2Api.js",
    "pkg-Utf16Le1.css",
    "pkg-Sha256Js.wasm",
    "lang-Zh2Hans1.js",
    "lib-Mp3x2Api.js",
    // Colours, addresses, checksums.
    "color-00ff00aa.svg",
    "Color.00ff00aa.svg",
    "theme-ffffff80.css",
    "swatch-3366cc80.png",
    "mac-00e04c68.txt",
    "mac-00e04c68.js",
    "mac-3c22fb9a.json",
    "adapter-00e04c68.png",
    "device-00e04c680001.svg",
    "crc32-1a2b3c4d.txt",
    "notes-1a2b3c4d.txt",
    "ipv6-fe80abc1.txt",
    // Digests of names and of sources.
    "dir_b7878ad5ecbf2506f4125b9d34c97e45.js",
    "dir_b7878ad5ecbf2506f4125b9d34c97e45_dep.png",
    "classes/dir_b7878ad5ecbf2506f4125b9d34c97e45.svg",
    "_images/graphviz-b7878ad5ecbf2506f4125b9d34c97e45.png",
    "avatar-b7878ad5ecbf2506f4125b9d34c97e45.jpg",
    "_nuxt/builds/latest.json",
    "_nuxt/builds/meta/123e4567-e89b-12d3-a456-4266141740ab.json",
    "docs/_nuxt/builds/latest.json",
    "jquery.js?ver=1.11.1",
    "icon-192x192.png",
    "icon-1024x1024.png",
    "screenshot-1920x1080@2x.png",
    // Two capitals are two words; ten letters count in Eleventy's folder only.
    "assets/index-DiwrgTda.js",
    "notes-A_B_C_Dx.js",
    "oIUmjdxsDf.css",
    "bundle/stylesheet.css",
    "bundle/javascript.js",
    "search-index-20240101.json",
    "search-index.json",
    "pagefind/pagefind-entry.json",
    "pagefind/pagefind-ui.js",
    "en_words.pf_fragment",
};

// Digests or words: only the rest of the folder can tell.
constexpr std::string_view uncertain[] = {
    "assets/index-DiwrgTda.js",
    "assets/guide.md.DiWrgTda.lean.js",
    "assets/style-12345678.css",
    "logo-CALENDAR.svg",
};

TEST(Rules, FingerprintedNames) {
  for (std::string_view key : fingerprinted) {
    EXPECT_EQ(http::cache_control(key), http::immutable) << key;
  }
}

TEST(Rules, PossibleFingerprints) {
  using enum http::Fingerprint;
  for (std::string_view key : uncertain) EXPECT_EQ(http::fingerprint(key), possible) << key;
  EXPECT_EQ(http::fingerprint("assets/app-settings.js"), absent);
  EXPECT_EQ(http::fingerprint("assets/theme-20240101.css"), absent);
}

TEST(Rules, OrdinaryNames) {
  for (std::string_view key : ordinary) EXPECT_EQ(http::cache_control(key), "no-cache") << key;
}

}  // namespace
