// SPDX-License-Identifier: ISC
#include "crunch/pack/command.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "crunch/embed/command.hpp"
#include "crunch/pack/pack.hpp"

namespace crunch {

void add_pack_command(CLI::App& app, Action& action) {
  struct Words {
    embed::OptionWords embed;
    bool checks_links = true;
  };
  auto words = std::make_shared<Words>();
  CLI::App* command =
      app.add_subcommand("pack", "Turn a directory into an archive that an image serves");
  embed::add_options(*command, words->embed);
  command->add_option("-o,--output", words->embed.options.out, "The tar archive to write")
      ->type_name("ARCHIVE")
      ->required();
  command->add_flag("!--no-link-check", words->checks_links,
                    "Do not look for links that lead nowhere (crunch check lists all)");
  command->footer(
      "Example:\n"
      "  crunch pack htdocs -o site.tar\n"
      "  crunch build htdocs -t virtio -o site --set store=tar\n"
      "  crunch run site --disk site.tar\n\n"
      "An image built with store=tar answers from the archive as if the site were in the image.\n"
      "SOURCE_DATE_EPOCH, if set, is the time of every file; otherwise each has its own.");
  command->callback([words, &action] {
    action = [words] {
      const embed::Summary summary =
          pack::pack({embed::options_of(words->embed), words->checks_links});
      std::printf("%s\n", embed::summary_text(summary).c_str());
      return 0;
    };
  });
}

}  // namespace crunch
