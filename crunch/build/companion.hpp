// SPDX-License-Identifier: ISC
// crunch/build/companion.hpp: a file written beside an image that tells its host how to start
// it.
//
// States:  GuestWords, companion_text, write_companion.   Used by: crunch/build, crunch/run.
// Format:  the recipe's `companion` names a text in which @NAME@, @KERNEL@, @CMDLINE@, @MEMORY@,
//          @BRIDGE@ (the first) and @VIFS@ (a list in quotes) stand for what GuestWords has.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crunch/build/recipe.hpp"

namespace crunch::build {

struct GuestWords {
  std::string image;  // its name, without folder and suffix, is the guest's
  std::vector<std::string> boot_keys;
  std::uint32_t memory_mib = 0;                // 0: what the image's size suggests
  std::vector<std::string> bridges{"xenbr0"};  // one for each of its network devices; not empty
};

// Throws Usage for what cannot be written there.
[[nodiscard]] std::string companion_text(const Recipe& recipe, const GuestWords& words);

// Writes it beside the image, unless it is there already: people edit it. Its path; empty: the
// target has none.
std::string write_companion(const Recipe& recipe, const std::string& image);

}  // namespace crunch::build
