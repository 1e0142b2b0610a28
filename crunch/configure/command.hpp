// SPDX-License-Identifier: ISC
// crunch/configure/command.hpp: `crunch configure`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_configure_command(CLI::App& app, Action& action);

}  // namespace crunch
