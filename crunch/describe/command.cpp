// SPDX-License-Identifier: ISC
#include "crunch/describe/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "crunch/build/configured.hpp"
#include "crunch/build/recipe.hpp"
#include "crunch/build/settings.hpp"
#include "crunch/describe/graph.hpp"
#include "crunch/embed/cache.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/graph.hpp"
#include "crunch/inspect/image.hpp"
#include "crunch/process.hpp"

namespace crunch {
namespace describe {
namespace {

struct Words {
  std::string what;  // an image or a site
  std::string config;
  std::string target;  // empty: unix
  std::string format = "text";
  std::vector<std::string> set;
};

namespace fs = std::filesystem;

// The configuration is compiled, not interpreted: what the compiler wrote down about it is read.
std::string graph_of_configuration(const Words& words) {
  const build::Recipe recipe =
      build::read_recipe(build::recipe_folder(), words.target.empty() ? "unix" : words.target);
  const std::vector<build::Setting> settings = build::gather_settings(words.what, words.set);
  const WorkFolder work((fs::temp_directory_path() / "crunch-describe").string());
  const build::Configured made = build::configured(
      {recipe, words.config, settings, embed::Cache::default_directory(), work.path()});
  return inspect::with_values(made.graph, build::settings_json(made.keys->used(settings)));
}

std::string graph_of(const Words& words) {
  std::error_code error;
  if (words.what.empty() || fs::is_directory(words.what, error)) {
    return graph_of_configuration(words);
  }
  const bool has_more = !words.config.empty() || !words.set.empty() || !words.target.empty();
  if (has_more && fs::exists(words.what, error)) {
    throw Usage(in_quotes(words.what) + " is an image, which is described as it was built: " +
                "-t, --config and --set are for a directory, or for none");
  }
  const inspect::Image image = inspect::read_image(words.what);
  if (image.graph.empty()) {
    throw Failure(in_quotes(words.what) + " does not say what it is made of");
  }
  return image.graph;
}

std::string svg_of(const std::string& graph) {
  if (!find_program("dot")) {
    throw Failure(
        "svg is drawn by graphviz, whose program dot is not in PATH; on Debian: "
        "apt install graphviz. Without it: --format dot");
  }
  const WorkFolder work((fs::temp_directory_path() / "crunch-describe").string());
  const std::string svg = work.path() + "/graph.svg";
  write_file(work.path() + "/graph.dot", dot_of(graph));
  const Outcome outcome = run_program({"dot", "-Tsvg", "-o", svg, work.path() + "/graph.dot"});
  if (outcome.status != 0) throw Failure("graphviz could not draw it: " + outcome.output);
  return read_file(svg);
}

void print_description(const Words& words) {
  constexpr std::array<std::string_view, 4> known{"text", "json", "dot", "svg"};
  if (std::ranges::find(known, words.format) == known.end()) {
    refuse_word("format", words.format, known);
  }
  const std::string graph = graph_of(words);
  const std::string text = words.format == "text"   ? text_of(graph)
                           : words.format == "json" ? json_of(graph)
                           : words.format == "dot"  ? dot_of(graph)
                                                    : svg_of(graph);
  print(text);
}

}  // namespace
}  // namespace describe

void add_describe_command(CLI::App& app, Action& action) {
  auto words = std::make_shared<describe::Words>();
  CLI::App* command =
      app.add_subcommand("describe", "Say what an appliance is made of, and its keys");
  command->add_option("DIR|IMAGE", words->what,
                      "A site, for the crunch.toml beside it; or what crunch build\nwrote");
  command
      ->add_option("--config", words->config,
                   "What an image would be made of, in C++ [the default configuration]")
      ->type_name("FILE");
  command
      ->add_option("-t,--target", words->target,
                   "What it would run on: " + build::target_list() + " [unix]")
      ->type_name("TARGET");
  command->add_option("--set", words->set, "Give a key a value, as crunch build does")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--format", words->format, "text, json, dot or svg [text]");
  command->footer(
      "Example:\n"
      "  crunch describe\n"
      "  crunch describe htdocs -t virtio --set http-port=8080\n"
      "  crunch describe --config my/config.hpp --format svg > appliance.svg");
  command->callback([words, &action] {
    action = [words] {
      describe::print_description(*words);
      return 0;
    };
  });
}

}  // namespace crunch
