// SPDX-License-Identifier: ISC
// crunch/build/command.hpp: `crunch build`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_build_command(CLI::App& app, Action& action);

}  // namespace crunch
