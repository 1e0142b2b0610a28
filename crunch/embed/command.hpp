// SPDX-License-Identifier: ISC
// crunch/embed/command.hpp: `crunch embed`, and its options for the commands that embed too.

#pragma once

#include <string>

#include "crunch/command_line.hpp"
#include "crunch/embed/cache.hpp"
#include "crunch/embed/embed.hpp"

namespace crunch {

namespace embed {

// The words of the options that say how to embed; `apply` checks them. Each command that embeds
// has one.
struct OptionWords {
  Options options;
  std::string effort = "default";
  std::string encodings = "zstd,br,gzip";
  std::string cache = Cache::default_directory();
  bool no_cache = false;
};

// Adds DIR and all of embed's options but -o and --name.
void add_options(CLI::App& command, OptionWords& words);

// The options that the words say. Throws Usage.
[[nodiscard]] Options options_of(const OptionWords& words);

}  // namespace embed

void add_embed_command(CLI::App& app, Action& action);

}  // namespace crunch
