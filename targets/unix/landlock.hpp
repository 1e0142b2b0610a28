// SPDX-License-Identifier: ISC
// targets/unix/landlock.hpp: which files this thread, and threads that it starts, may still open.
//
// States:  folders_to_read, restrict_files.   Used by: targets/unix/sandbox.cpp.
// Source:  landlock(7).

#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/log.hpp"

namespace unix_target {

// The folders beneath which `path` is found now and after it was renewed: its own, the one of the
// file that it leads to (certbot's archive/), and those that hold a link on the way (Kubernetes'
// ..data, a "current" beside releases). A folder: itself and the one that it leads to. The root is
// never one of them.
[[nodiscard]] std::vector<std::string> folders_to_read(const std::string& path);

// From now on files are opened for reading only, and only beneath the folders of `read_again`; they
// are also made, written, renamed and removed beneath the folders `change_beneath`, which must not
// be the root. What is open stays open. Needs no_new_privs. What the kernel lacks is said at debug
// level, a folder that this process may not change as a warning.
void restrict_files(std::span<const std::string> read_again,
                    std::span<const std::string> change_beneath, base::Log& log);

}  // namespace unix_target
