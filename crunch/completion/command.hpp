// SPDX-License-Identifier: ISC
// crunch/completion/command.hpp: the words of `crunch completion` and `crunch manual`: what --help
// says, for shells and for man.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_completion_command(CLI::App& app, Action& action);
void add_manual_command(CLI::App& app, Action& action);

}  // namespace crunch
