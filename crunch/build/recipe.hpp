// SPDX-License-Identifier: ISC
// crunch/build/recipe.hpp: how an image for a target is made; crunch's own build writes it.
//
// States:  Recipe, targets, read_recipe.   Used by: crunch/build.
// Where:   lib/crunch/<target>.target beside the folder that crunch is in: in an installed crunch
//          and in its build tree alike. So the tool knows no target by name.
// Format:  a word and its value on each line, in the order they are used; '#' begins a comment.
//            include DIR      is searched for headers
//            compile FLAG     for the compiler, one flag a line
//            main FILE        the C++ that applies a configuration
//            config HEADER    the default configuration, as main includes it
//            object FILE      main, compiled with the default configuration
//            library FILE     an archive to link
//            link FLAG        for the compiler when it links
//            companion FILE   what is written beside an image (companion.hpp), with FILE's suffix
//            start LINE       starts an image; @IMAGE@ stands for its path
//            content BYTES    the most that a site may have
//            symbols NAME     the image has a table of its functions by this name (symbols.hpp)
//          Files are relative to the recipe's folder.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crunch::build {

struct Recipe {
  std::string target;
  std::vector<std::string> includes;
  std::vector<std::string> compile_flags;
  std::string main;
  std::string config;
  std::string object;
  std::vector<std::string> libraries;
  std::vector<std::string> link_flags;
  std::string symbols;                  // empty: none
  std::string companion;                // empty: none
  std::string start;                    // empty: not said
  std::uint64_t content_bytes_max = 0;  // 0: no limit
};

// The folder that holds the recipes. Throws a Failure if crunch lies where none is.
[[nodiscard]] std::string recipe_folder();

// The names of the targets that `folder` has recipes for, sorted.
[[nodiscard]] std::vector<std::string> targets(const std::string& folder);

// The same of recipe_folder(), with commas, for help.
[[nodiscard]] std::string target_list();

// Throws Usage, with the nearest name, if there is no such target; a Failure if the recipe is
// damaged or names a file that is not there.
[[nodiscard]] Recipe read_recipe(const std::string& folder, const std::string& target);

}  // namespace crunch::build
