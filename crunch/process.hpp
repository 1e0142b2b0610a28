// SPDX-License-Identifier: ISC
// crunch/process.hpp: runs another program to its end.
//
// States:  Outcome, run_program, find_program.   Used by: crunch/build.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crunch {

struct Outcome {
  int status = 0;      // the exit status, or 128 + the signal that ended it
  std::string output;  // standard output and standard error, as they came; the first MiB
};

// Runs argv[0], looked up in PATH, with nothing on its standard input. When crunch itself is asked
// to stop meanwhile, so is the program. A Failure if it cannot be started.
[[nodiscard]] Outcome run_program(const std::vector<std::string>& argv);

// Where PATH has a program of this name (or the name itself, if it has a '/'); nothing if nowhere.
[[nodiscard]] std::optional<std::string> find_program(std::string_view name);

}  // namespace crunch
