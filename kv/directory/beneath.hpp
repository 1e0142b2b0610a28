// SPDX-License-Identifier: ISC
// kv/directory/beneath.hpp: opens what a path names below a directory, and nothing outside it.
//
// States:   open_beneath.   Used by: kv/directory/directory.cpp.
// Promise:  no "..", symbolic link or race leads out of the root. Links that stay inside are
//           followed; absolute ones are refused even where they point inside, for the kernel would
//           read them from the process's root.
// How:      openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS (Linux 5.6); where that is missing
//           or forbidden, a walk that opens one component after another with O_NOFOLLOW and
//           reads links itself.
// Source:   openat2(2), open(2), path_resolution(7).

#pragma once

#include <string>

#include "base/descriptor.hpp"
#include "base/result.hpp"
#include "kv/key.hpp"

namespace kv {

using base::Descriptor;

enum class Resolver { openat2, walk };

// What the running kernel offers.
[[nodiscard]] Resolver best_resolver() noexcept;

// Opens `path` ("" is the root itself) with `flags` of open(2), without O_CREAT; O_CLOEXEC is
// added. Fails with an errno: ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EXDEV (it leads outside),
// EACCES, EMFILE, ...; EAGAIN when the tree was moved about too often meanwhile.
[[nodiscard]] base::Result<Descriptor, int> open_beneath(int root, const std::string& path,
                                                         int flags, Resolver resolver);

}  // namespace kv
