// SPDX-License-Identifier: ISC
// crunch/embed/notes.hpp: notes about files that were probably not meant to be published.
//
// States:  notes_on.   Used by: crunch/embed/embed.
// Notes:   backups that are left out; names that are decomposed Unicode (macOS writes such; links
//          typed on other systems do not find them); folders whose page has another server's name
//          (index.htm, Index.html), so that the folder's address answers 404.

#pragma once

#include <string>
#include <vector>

#include "crunch/embed/walk.hpp"

namespace crunch::embed {

// One sentence for each kind; at most names_max of its files are named.
[[nodiscard]] std::vector<std::string> notes_on(const Tree& tree);

}  // namespace crunch::embed
