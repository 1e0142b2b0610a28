// SPDX-License-Identifier: ISC
// crunch/route/route.hpp: which host, rule, file and header blocks answer a request, and why.
//
// States:  Options, explain.   Used by: `crunch route`.
// Asks:    the server's own code (crunch/check/site.hpp), over the files of a directory.

#pragma once

#include <string>
#include <vector>

#include "crunch/embed/embed.hpp"

namespace crunch::route {

struct Options {
  embed::Options site;              // DIR, and which of its files count
  std::string url;                  // "/about?x=1", or with scheme and host
  std::vector<std::string> fields;  // "Name: value"
};

// Some lines for a person, for the request and for those that its redirects lead to. Throws Usage
// for what is no request, a Failure if the site cannot be read.
[[nodiscard]] std::string explain(const Options& options);

}  // namespace crunch::route
