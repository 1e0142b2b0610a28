// SPDX-License-Identifier: ISC
// crunch/check/command.hpp: `crunch check`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_check_command(CLI::App& app, Action& action);

}  // namespace crunch
