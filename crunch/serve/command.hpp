// SPDX-License-Identifier: ISC
// crunch/serve/command.hpp: `crunch serve`, as the command line knows it.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_serve_command(CLI::App& app, Action& action);

}  // namespace crunch
