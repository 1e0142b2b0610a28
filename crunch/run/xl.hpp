// SPDX-License-Identifier: ISC
// crunch/run/xl.hpp: an image as a Xen guest, started by xl.
//
// States:  run_by_xl.   Used by: crunch/run.
// Way:     the configuration that crunch build writes, with what the command says, is handed to
//          `xl create` as a file without a name; crunch becomes xl. On a terminal xl stays with the
//          guest's console.

#pragma once

#include "crunch/build/recipe.hpp"
#include "crunch/run/run.hpp"

namespace crunch::run {

// Throws a Failure where there is no xl.
[[noreturn]] void run_by_xl(const Options& options, const build::Recipe& recipe);

}  // namespace crunch::run
