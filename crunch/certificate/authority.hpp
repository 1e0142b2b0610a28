// SPDX-License-Identifier: ISC
// crunch/certificate/authority.hpp: CAs that images get certificates from.
//
// States:  problem_of_authority, roots_of_authority.   Used by: crunch/build.
// Judge:   acme, the same that judges when an image starts.

#pragma once

#include <string>

namespace crunch::certificate {

// Why no certificate can be had from `ca` ("letsencrypt", "letsencrypt-staging", the URL of a
// directory) for `names`, joined by commas; none: they are not known yet. Empty: it may.
[[nodiscard]] std::string problem_of_authority(const std::string& ca, const std::string& names);

// Whose certificates its own servers have, as load_roots() takes it.
[[nodiscard]] std::string roots_of_authority(const std::string& ca);

}  // namespace crunch::certificate
