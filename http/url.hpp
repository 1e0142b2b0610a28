// SPDX-License-Identifier: ISC
// http/url.hpp: which address a reference means, as browsers find it, and where an address leads.
//
// States:  Url, resolve, parse_url, Origin.   Used by: http/client, crunch/check, crunch/route.
// Source:  https://url.spec.whatwg.org, as far as http and https go; the path and the query come
//          out as a browser sends them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http {

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

// An absolute URL of http or https that a program was told to use: unlike `resolve` it corrects
// nothing. Nothing: it is malformed, has user information, or has another scheme.
[[nodiscard]] std::optional<Url> parse_url(std::string_view text);

// Where to connect for a Url of http or https.
struct Origin {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;
  bool is_secure = false;

  friend bool operator==(const Origin&, const Origin&) = default;
};
// Nothing: the authority is malformed or empty, or the port is not from 1 to 65535.
[[nodiscard]] std::optional<Origin> origin_of(const Url& url);

// Without percent-encoding, where it is well-formed.
[[nodiscard]] std::string without_escapes(std::string_view text);

// The path by which a key is asked for: "/a%20b.html".
[[nodiscard]] std::string path_of(std::string_view key);

}  // namespace http
