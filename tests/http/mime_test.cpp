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
