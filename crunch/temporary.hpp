// SPDX-License-Identifier: ISC
// crunch/temporary.hpp: temporary files and folders, and those that a killed crunch left.
//
// States:  is_temporary_name, temporary_name, lock_temporary, remove_abandoned.
// Used by: crunch/{new_file,work_folder}; crunch/embed and crunch/serve leave such names out.
// Rule:    a process holds a lock (flock) on each temporary file, or on a file in each temporary
//          folder, for as long as it uses it. Without a lock it was abandoned. Process numbers
//          would not tell: those of different containers may be equal.

#pragma once

#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace crunch {

// How often to try another name before giving up.
inline constexpr int temporary_attempts_max = 100;

// The file in a temporary folder that is locked for the folder.
inline constexpr std::string_view lock_name = "/.lock";

// Whether it is the name of a temporary file or folder of some crunch, running or killed.
[[nodiscard]] bool is_temporary_name(std::string_view name);

// A new such name, different from those of all other processes.
[[nodiscard]] std::string temporary_name();

// Locks the open file at `path`. False: another process took it for abandoned and removed it.
[[nodiscard]] bool lock_temporary(const base::Descriptor& file, const std::string& path);

// Removes the temporary files and folders in `directory` that nobody has locked.
void remove_abandoned(const std::string& directory);

}  // namespace crunch
