// SPDX-License-Identifier: ISC
#include "crunch/serve/command.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "crunch/serve/serve.hpp"

namespace crunch {

void add_serve_command(CLI::App& app, Action& action) {
  struct Words {
    serve::Options options;
    std::string host = "localhost";
    std::uint16_t port = 8080;
  };
  auto words = std::make_shared<Words>();
  CLI::App* command =
      app.add_subcommand("serve", "Show a directory in the browser while you work on it");
  command->add_option("DIR", words->options.directory, "The directory that holds the site")
      ->required();
  command->add_option("--http", words->port, "The port; 0: one that is free [8080]")
      ->type_name("PORT");
  command
      ->add_option("--host", words->host,
                   "Where to listen: an address, or all, for others to see it [localhost]")
      ->type_name("ADDRESS");
  command->add_flag("--dotfiles", words->options.dotfiles,
                    "Show names that begin with '.' (without this: only .well-known)");
  command->footer(
      "Example:\n"
      "  crunch serve htdocs --http 3000\n\n"
      "Pages reload by themselves when a file changes, style sheets without reloading the page.\n"
      "Nothing is compressed and nothing is cached: it is for looking at, not for serving.");
  command->callback([words, &action] {
    action = [words] {
      serve::set_host(words->options, words->host);
      words->options.port = words->port;
      return serve::serve(words->options);
    };
  });
}

}  // namespace crunch
