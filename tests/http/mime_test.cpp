// SPDX-License-Identifier: ISC
// tests/http/mime_test.cpp: media types by extension.
//
// Method: a table of keys with the edges of what an extension is.

#include "http/mime.hpp"

#include <gtest/gtest.h>

namespace {

struct Row {
  std::string_view key;
  std::string_view type;
};
constexpr std::string_view unknown = "application/octet-stream";
constexpr Row rows[] = {
    {"index.html", "text/html; charset=utf-8"},
    {"a/b.c/INDEX.HTM", "text/html; charset=utf-8"},
    {"style.CSS", "text/css; charset=utf-8"},
    {"app.min.js", "text/javascript; charset=utf-8"},
    {"app.mjs", "text/javascript; charset=utf-8"},
    {"app.js.map", "application/json"},
    {"data.json", "application/json"},
    {"sitemap.xml", "application/xml"},
    {"feed.atom", "application/atom+xml"},
    {"atom.xml", "application/atom+xml"},
    {"blog/rss.xml", "application/rss+xml"},
    {"feed.rss", "application/rss+xml"},
    {"logo.svg", "image/svg+xml"},
    {"robots.txt", "text/plain; charset=utf-8"},
    {"README.md", "text/markdown; charset=utf-8"},
    {"t.csv", "text/csv; charset=utf-8"},
    {"favicon.ico", "image/vnd.microsoft.icon"},
    {"a.png", "image/png"},
    {"a.jpg", "image/jpeg"},
    {"a.jpeg", "image/jpeg"},
    {"a.gif", "image/gif"},
    {"a.webp", "image/webp"},
    {"a.avif", "image/avif"},
    {"a.woff", "font/woff"},
    {"a.woff2", "font/woff2"},
    {"a.ttf", "font/ttf"},
    {"a.otf", "font/otf"},
    {"a.eot", "application/vnd.ms-fontobject"},
    {"a.wasm", "application/wasm"},
    {"a.pdf", "application/pdf"},
    {"a.zip", "application/zip"},
    {"a.tar.gz", "application/gzip"},
    {"a.zst", "application/zstd"},
    {"a.mp4", "video/mp4"},
    {"a.webm", "video/webm"},
    {"a.mp3", "audio/mpeg"},
    {"a.ogg", "audio/ogg"},
    {"a.wav", "audio/wav"},
    {"site.webmanifest", "application/manifest+json"},
    {"a.xhtml", "application/xhtml+xml"},
    {"a.ics", "text/calendar; charset=utf-8"},
    {"a.yaml", "application/yaml"},
    {"a.toml", "application/toml"},
    {"3gp.3gp", "video/3gpp"},  // the table's ends
    {"a.mpg", "video/mpeg"},
    {"a.avi", "video/x-msvideo"},
    {"a.m4s", "video/iso.segment"},
    {"a.heic", "image/heic"},
    {"a.weba", "audio/webm"},
    {"a.cjs", "text/javascript; charset=utf-8"},
    {"a.ttc", "font/collection"},
    {"a.gpx", "application/gpx+xml"},
    {"a.midi", "audio/midi"},
    {"a.jar", "application/java-archive"},
    {"a.ttl", "text/turtle; charset=utf-8"},
    // Files of .well-known have registered types, and no extensions.
    {".well-known/apple-app-site-association", "application/json"},
    {"apple-app-site-association", "application/json"},
    {"a/apple-app-site-association", unknown},
    {".well-known/matrix/server", "application/json"},
    {".well-known/matrix/", unknown},
    {".well-known/matrix", unknown},
    {"proj/.well-known/openid-configuration", "application/json"},
    {".well-known/host-meta", "application/xrd+xml"},
    {".well-known/host-meta.json", "application/json"},
    {".well-known/security.txt", "text/plain; charset=utf-8"},
    {"x.well-known/webfinger", unknown},
    {"webfinger", unknown},
    // Names that mirrors make of queries.
    {"js/app.js?ver=1.11.1", "text/javascript; charset=utf-8"},
    {"style.css?v3.4", "text/css; charset=utf-8"},
    {"style.css?v=a.png", "text/css; charset=utf-8"},
    {"get.php?file=a.css", "text/css; charset=utf-8"},
    {"app.js@ver=1.2", "text/javascript; charset=utf-8"},
    {"logo@2x.png", "image/png"},
    {"index.html%3Fp=3", "text/html; charset=utf-8"},
    {"index.php?p=3", unknown},
    {"?", unknown},
    {"objects.inv", unknown},
    {"html", unknown},
    {".html", "text/html; charset=utf-8"},
    {"a.html/b", unknown},
    {"a.", unknown},
    {"", unknown},
    {"a.webmanifests", unknown},
    {"a.html ", unknown},
    {"a.ht\xc3\xa4", unknown},
};

TEST(Mime, ByExtension) {
  for (const Row& row : rows) EXPECT_EQ(http::media_type(row.key), row.type) << row.key;
}

TEST(Mime, WhatIsWorthCompressing) {
  for (std::string_view key : {"a.html", "a.css", "a.js", "a.svg", "a.json", "a.xml", "a.wasm",
                               "a.ttf", "a.atom", "a.webmanifest", "a.ico", "a.inv", "a.md"}) {
    EXPECT_TRUE(http::is_compressible(http::media_type(key))) << key;
  }
  for (std::string_view key : {"a.png", "a.woff2", "a.zip", "a.gz", "a.mp4", "a.webp", "a.docx"}) {
    EXPECT_FALSE(http::is_compressible(http::media_type(key))) << key;
  }
}

}  // namespace
