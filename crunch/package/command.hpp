// SPDX-License-Identifier: ISC
// crunch/package/command.hpp: the words of `crunch package`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_package_command(CLI::App& app, Action& action);

}  // namespace crunch
