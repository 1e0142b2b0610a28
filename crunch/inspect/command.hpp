// SPDX-License-Identifier: ISC
// crunch/inspect/command.hpp: `crunch inspect`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_inspect_command(CLI::App& app, Action& action);

}  // namespace crunch
