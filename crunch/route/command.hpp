// SPDX-License-Identifier: ISC
// crunch/route/command.hpp: `crunch route`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_route_command(CLI::App& app, Action& action);

}  // namespace crunch
