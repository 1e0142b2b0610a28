// SPDX-License-Identifier: ISC
// crunch/files.hpp: everything about files that commands use, in one include.
//
// States:  print.   Shows: read_file, directories, new_file, work_folder, temporary, stop.
// Used by: crunch/*.

#pragma once

#include <string>

#include "crunch/directories.hpp"
#include "crunch/new_file.hpp"
#include "crunch/read_file.hpp"
#include "crunch/stop.hpp"
#include "crunch/temporary.hpp"
#include "crunch/work_folder.hpp"

namespace crunch {

// Writes to standard output. It is no error if the reader closed the pipe, as `head` does.
void print(const std::string& text);

}  // namespace crunch
