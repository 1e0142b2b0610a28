// SPDX-License-Identifier: ISC
// crunch/build/build.hpp: a directory tree becomes an image: embed, compile, link.
//
// States:  Options, Times, build.   Used by: `crunch build`.
// Order:   everything that can be wrong about the command is found first; then the site is
//          embedded, compiled and linked in a folder of its own beside IMAGE, and what was linked
//          takes IMAGE's place at once. On any error IMAGE is what it was.
// Output:  the same bytes for the same site, configuration, crunch and compiler.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crunch/embed/embed.hpp"

namespace crunch::build {

struct Options {
  embed::Options embed;  // `out`, `name` and `leave_out` are chosen here
  std::string target = "unix";
  std::string image;
  // Certificates and their keys, pair by pair; a host to make one for.
  std::vector<std::string> certificates;
  std::vector<std::string> keys;
  std::optional<std::string> self_signed;
  std::optional<std::string> acme;   // the CA that it gets a certificate from (acme.hpp)
  std::optional<std::string> roots;  // certificate/roots.hpp; none: the image trusts nobody
  // What clients will ask for; a warning where no certificate covers one of them.
  std::vector<std::string> hosts;
  std::string config;            // a C++ header; empty: the default, which needs not be compiled
  std::vector<std::string> set;  // KEY=VALUE (settings.hpp)
  bool checks_links = true;      // say which links of the site's pages lead nowhere
  bool keeps_symbols = false;    // also write IMAGE.debug: the same code, with symbols and lines
};

struct Summary {
  embed::Summary embedded;
  double compile_seconds = 0;
  double link_seconds = 0;
  std::uint64_t image_bytes = 0;
  bool is_changed = false;
  std::string companion;  // what was written beside it, or stood there; empty: nothing
  std::string start;      // the line that starts the image; empty: not known
};

// Throws a Failure or Usage.
Summary build(const Options& options);

// A few lines for a person; the last starts the image.
[[nodiscard]] std::string summary_text(const Summary& summary, const Options& options);

}  // namespace crunch::build
