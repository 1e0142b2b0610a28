// SPDX-License-Identifier: ISC
// crunch/certificate/roots.hpp: the roots that an image trusts when it connects to others.
//
// States:  Roots, load_roots.   Used by: crunch/build.
// Judge:   tls/anchors, the same that judges when an image starts.
// Source:  Debian's package ca-certificates for those that are named.

#pragma once

#include <string>
#include <vector>

namespace crunch::certificate {

struct Roots {
  std::string name;  // for messages
  std::string pem;
  std::vector<std::string> warnings;  // of those that have expired, or cannot be used
};

// `said`: "letsencrypt" (ISRG Root X1 and X2), "debian" (all that ca-certificates has), or the path
// of a file with certificates in PEM, or one in DER. Throws a Failure with the file's name and what
// to do.
[[nodiscard]] Roots load_roots(const std::string& said);

}  // namespace crunch::certificate
