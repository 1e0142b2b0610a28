// SPDX-License-Identifier: ISC
// crunch/embed/site_file.hpp: the part of crunch.toml that is about the site's files.
//
// States:  PathPattern, SiteFile, site_file_of, read_site_file.   Used by: embed, build, serve.
// Place:   beside DIR, else in DIR; both at once is a Failure. It is never published.
// Tables:  [types]  "*.foo" = "application/x-foo"
//          [cache]  "/assets/*" = "immutable", "*.pdf" = "public, max-age=3600"
//          A pattern that begins with '/' is compared with the whole path, another with the file's
//          name; '*' stands for any bytes, '/' too. The last line that fits counts.
//          [site]   base, dialect, clean-urls, not-found, unsupported, strict-hosts
//          [[host]] name, aliases, root
//          [auth]   users, paths, except, from-headers
// Source:  TOML 1.0 by toml++.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/site/compile.hpp"

namespace crunch::embed {

class PathPattern {
 public:
  explicit PathPattern(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] bool fits(std::string_view key) const;

 private:
  std::string text_;
};

struct PathSetting {
  PathPattern pattern;
  std::string value;
};

struct SiteFile {
  std::string path;                  // of crunch.toml; empty: there is none
  std::vector<PathSetting> types;    // media types
  std::vector<PathSetting> caching;  // values of Cache-Control
  http::site::SiteSettings settings;
  std::vector<http::site::HostSettings> hosts;

  // What the file says about the key; empty: nothing.
  [[nodiscard]] std::string_view type_of(std::string_view key) const;
  [[nodiscard]] std::string_view caching_of(std::string_view key) const;
};

inline constexpr std::string_view site_file_name = "crunch.toml";

// The tables of crunch.toml that are about the site; all others are keys of an appliance.
[[nodiscard]] bool is_site_table(std::string_view name);

// Where the crunch.toml of the directory `site` is; empty: there is none. A Failure if there are
// two.
[[nodiscard]] std::string site_file_of(const std::string& site);

// What `bytes`, a crunch.toml by the name of `path`, says. A Failure that names file and line.
[[nodiscard]] SiteFile parse_site_file(const std::string& bytes, const std::string& path);

// What the site's crunch.toml says. A Failure that names file and line.
[[nodiscard]] SiteFile read_site_file(const std::string& site);

}  // namespace crunch::embed
