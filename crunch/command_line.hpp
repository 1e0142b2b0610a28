// SPDX-License-Identifier: ISC
// crunch/command_line.hpp: how subcommands are added to the tool, and how its words are read.
//
// States:  Action, add_<name>_command by convention, run_command_line.   Used by: crunch/main.cpp,
//          each subcommand's command.cpp.
// Errors:  an unknown subcommand or option names the nearest known one; exit code 2.

#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace crunch {

// What the command line asks for: a subcommand's callback sets it, and it answers the exit code.
// Failure, Usage and Interrupted may leave it.
using Action = std::function<int()>;

// Each subcommand is a function of this shape, `add_<name>_command`, in crunch/<name>/command.hpp:
//   void add_embed_command(CLI::App& app, Action& action);

// Reads the words, then does what they ask. Answers the exit code: 0, 1 (failed), 2 (usage), or
// 128 + the signal that ended it.
int run_command_line(CLI::App& app, const Action& action, int argc, const char* const* argv);

}  // namespace crunch
