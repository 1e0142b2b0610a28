// SPDX-License-Identifier: ISC
// crunch/check/url.hpp: which address a reference in a page means, as browsers find it.
//
// States:  Url, resolve, without_escapes.   Used by: crunch/check, crunch/route.
// Source:  https://url.spec.whatwg.org, as far as http and https go; the path and the query come
//          out as a browser sends them.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace crunch::check {

struct Url {
  std::string scheme;     // "http", "https"; of others, only this is read
  std::string authority;  // host and port, in small letters
  std::string path = "/";
  std::string query;  // with its '?'
  std::string fragment;
  bool has_fragment = false;

  [[nodiscard]] bool is_http() const { return scheme == "http" || scheme == "https"; }
  // What a request for it says.
  [[nodiscard]] std::string target() const { return path + query; }
};

// `base` is an address of http or https.
[[nodiscard]] Url resolve(const Url& base, std::string_view reference);

// Without percent-encoding, where it is well-formed.
[[nodiscard]] std::string without_escapes(std::string_view text);

// The path by which a key is asked for: "/a%20b.html".
[[nodiscard]] std::string path_of(std::string_view key);

}  // namespace crunch::check
