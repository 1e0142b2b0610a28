// SPDX-License-Identifier: ISC
#include "crunch/inspect/command.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/image.hpp"
#include "crunch/inspect/print.hpp"

namespace crunch {

void add_inspect_command(CLI::App& app, Action& action) {
  struct Words {
    std::string image;
    std::string format = "text";
    bool is_sbom = false;
  };
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand("inspect", "Say what is in an image");
  command->add_option("IMAGE", words->image, "What crunch build wrote")->required();
  command->add_option("--format", words->format, "text or json [text]");
  command->add_flag("--sbom", words->is_sbom,
                    "Print the libraries in the image and their licences: SPDX 2.3, JSON");
  command->footer(
      "Example:\n"
      "  crunch inspect site --format json | jq -r '.sites[].files[].path'\n"
      "  crunch inspect site --sbom > site.spdx.json");
  command->callback([words, &action] {
    action = [words] {
      constexpr std::array<std::string_view, 2> known{"text", "json"};
      if (words->format != known[0] && words->format != known[1]) {
        refuse_word("format", words->format, known);
      }
      const inspect::Image image = inspect::read_image(words->image);
      print(words->is_sbom            ? inspect::sbom_of(image)
            : words->format == "json" ? inspect::json_of(image)
                                      : inspect::text_of(image));
      return 0;
    };
  });
}

}  // namespace crunch
