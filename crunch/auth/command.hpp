// SPDX-License-Identifier: ISC
// crunch/auth/command.hpp: `crunch auth`.

#pragma once

#include "crunch/command_line.hpp"

namespace crunch {

void add_auth_command(CLI::App& app, Action& action);

}  // namespace crunch
