// SPDX-License-Identifier: ISC
// crunch/disk/command.hpp: `crunch disk`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_disk_command(CLI::App& app, Action& action);

}  // namespace crunch
