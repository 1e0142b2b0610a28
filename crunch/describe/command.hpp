// SPDX-License-Identifier: ISC
// crunch/describe/command.hpp: `crunch describe`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_describe_command(CLI::App& app, Action& action);

}  // namespace crunch
