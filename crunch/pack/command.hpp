// SPDX-License-Identifier: ISC
// crunch/pack/command.hpp: `crunch pack`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_pack_command(CLI::App& app, Action& action);

}  // namespace crunch
