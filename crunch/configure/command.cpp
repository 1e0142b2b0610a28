// SPDX-License-Identifier: ISC
#include "crunch/configure/command.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "crunch/build/recipe.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch {
namespace configure {
namespace {

struct Words {
  bool eject = false;
  std::string target = "unix";
  std::string output = "config.hpp";
};

// The default configuration is a header that every recipe names, in one of its include folders.
std::string default_configuration(const build::Recipe& recipe) {
  constexpr std::uint64_t bytes_max = 1U << 20U;
  for (const std::string& include : recipe.includes) {
    const std::string path = include + "/" + recipe.config;
    if (std::filesystem::exists(path)) return read_file(path, bytes_max);
  }
  throw Failure("crunch is not installed completely: there is no " + in_quotes(recipe.config));
}

void eject(const Words& words) {
  const build::Recipe recipe = build::read_recipe(build::recipe_folder(), words.target);
  const std::string text = default_configuration(recipe);
  if (std::string obstacle = obstacle_to_file(words.output); !obstacle.empty()) {
    throw Failure("cannot write the configuration: " + obstacle);
  }
  if (std::filesystem::exists(words.output)) {
    throw Failure(in_quotes(words.output) + " exists already; -o FILE chooses another name");
  }
  NewFile file(words.output, 0644);
  file.write(text);
  static_cast<void>(replace_changed({&file}));
  std::printf("%s: edit it, then crunch build DIR -t %s -o IMAGE --config %s\n",
              words.output.c_str(), words.target.c_str(), words.output.c_str());
}

}  // namespace
}  // namespace configure

void add_configure_command(CLI::App& app, Action& action) {
  auto words = std::make_shared<configure::Words>();
  CLI::App* command =
      app.add_subcommand("configure", "Write the default configuration as a file to edit");
  command->add_flag("--eject", words->eject, "Write it")->required();
  command->add_option("-t,--target", words->target, "The target whose default it is [unix]")
      ->type_name("TARGET");
  command->add_option("-o,--output", words->output, "The file to write [config.hpp]")
      ->type_name("FILE");
  command->footer(
      "Example:\n"
      "  crunch configure --eject -o my.hpp\n"
      "  crunch build htdocs -t unix -o site --config my.hpp");
  command->callback([words, &action] {
    action = [words] {
      configure::eject(*words);
      return 0;
    };
  });
}

}  // namespace crunch
