// SPDX-License-Identifier: ISC
#include "crunch/describe/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "crunch/build/build.hpp"
#include "crunch/describe/graph.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/inspect.hpp"

namespace crunch {

namespace {

struct Words {
  std::string image;
  std::string config;
  std::string target = "unix";
  std::string format = "text";
};

// The configuration is compiled, not interpreted: so it is built around an empty site, and what the
// compiler wrote down about it is read.
std::string graph_of_configuration(const Words& words) {
  namespace fs = std::filesystem;
  WorkFolder work((fs::temp_directory_path() / "crunch-describe").string());
  build::Options options;
  options.target = words.target;
  options.config = words.config;
  options.image = work.path() + "/image";
  options.embed.root = work.path() + "/empty";
  make_directories(options.embed.root);
  static_cast<void>(build::build(options));
  return inspect::graph_of(options.image);
}

void print_description(const Words& words) {
  constexpr std::array<std::string_view, 3> known{"text", "json", "dot"};
  if (std::ranges::find(known, words.format) == known.end()) {
    refuse_word("format", words.format, known);
  }
  std::string graph =
      words.image.empty() ? graph_of_configuration(words) : inspect::graph_of(words.image);
  std::string text = words.format == "text"   ? describe::text_of(graph)
                     : words.format == "json" ? describe::json_of(graph)
                                              : describe::dot_of(graph);
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    fail("write to", "standard output");
  }
}

}  // namespace

void add_describe_command(CLI::App& app, Action& action) {
  auto words = std::make_shared<Words>();
  CLI::App* command =
      app.add_subcommand("describe", "Say what an appliance is made of, and its boot keys");
  auto* image = command->add_option("IMAGE", words->image, "What crunch build wrote");
  command
      ->add_option("--config", words->config,
                   "What an image would be made of, in C++ [the default configuration]")
      ->type_name("FILE")
      ->excludes(image);
  command->add_option("-t,--target", words->target, "What it would run on [unix]")
      ->type_name("TARGET")
      ->excludes(image);
  command->add_option("--format", words->format, "text, json or dot [text]");
  command->footer(
      "Example:\n"
      "  crunch describe\n"
      "  crunch describe --config my/config.hpp --format dot | dot -Tsvg > appliance.svg");
  command->callback([words, &action] {
    action = [words] {
      print_description(*words);
      return 0;
    };
  });
}

}  // namespace crunch
