// SPDX-License-Identifier: ISC
// crunch/build/acme.hpp: what `crunch build --acme` means for the other choices of a build.
//
// States:  choose_acme.   Used by: crunch/build.

#pragma once

#include <string>
#include <vector>

#include "crunch/build/build.hpp"
#include "crunch/build/settings.hpp"

namespace crunch::build {

// Without options.acme nothing changes. With it: the image has the client, and asks this CA by
// default, for the names of [[host]] in the crunch.toml of the site; it trusts the CA's roots, and
// has a vault, if the target can; what was chosen otherwise stays. Throws Usage where no CA could
// serve it, or a Failure of crunch.toml.
void choose_acme(Options& options, std::vector<Setting>& settings);

}  // namespace crunch::build
