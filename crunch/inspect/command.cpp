// SPDX-License-Identifier: ISC
#include "crunch/inspect/command.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/inspect.hpp"

namespace crunch {

void add_inspect_command(CLI::App& app, Action& action) {
  struct Words {
    std::string image;
    std::string format = "text";
  };
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand("inspect", "Say what is in an image");
  command->add_option("IMAGE", words->image, "What crunch build wrote")->required();
  command->add_option("--format", words->format, "text or json [text]");
  command->footer(
      "Example:\n"
      "  crunch inspect site --format json | jq -r '.sites[].files[].path'");
  command->callback([words, &action] {
    action = [words] {
      constexpr std::array<std::string_view, 2> known{"text", "json"};
      if (words->format != known[0] && words->format != known[1]) {
        refuse_word("format", words->format, known);
      }
      std::string text =
          words->format == "json" ? inspect::json_of(words->image) : inspect::text_of(words->image);
      print(text);
      return 0;
    };
  });
}

}  // namespace crunch
