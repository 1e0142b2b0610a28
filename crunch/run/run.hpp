// SPDX-License-Identifier: ISC
// crunch/run/run.hpp: starts an image the way its target is started.
//
// States:  run.   Used by: `crunch run`.
// Way:     the image says which target it was built for; that target's Runner starts it.

#pragma once

#include "crunch/run/runner.hpp"

namespace crunch::run {

// The exit status of the image. Throws Failure or Usage if it cannot be started.
int run(const Options& options);

}  // namespace crunch::run
