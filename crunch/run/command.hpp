// SPDX-License-Identifier: ISC
// crunch/run/command.hpp: `crunch run`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_run_command(CLI::App& app, Action& action);

}  // namespace crunch
