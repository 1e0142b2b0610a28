// SPDX-License-Identifier: ISC
#include "crunch/route/command.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "crunch/files.hpp"
#include "crunch/route/route.hpp"

namespace crunch {

void add_route_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<route::Options>();
  CLI::App* command = app.add_subcommand(
      "route", "Say which host, rule, file and headers answer a request, and why");
  command->add_option("DIR", options->site.root, "The directory that holds the site")->required();
  command->add_option("URL", options->url, "The address to ask for: /about, or https://HOST/about")
      ->required();
  command->add_option("-H,--header", options->fields, "A field of the request; may be given again")
      ->type_name("'NAME: VALUE'")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--dotfiles", options->site.dotfiles, "Include names that begin with '.'");
  command->add_flag("--follow-links", options->site.follow_links,
                    "Follow links that leave DIR, too");
  command->footer(
      "Example:\n"
      "  crunch route htdocs '/blog/old?page=2' -H 'Accept-Language: de'\n\n"
      "Redirects within the site are followed, each with its own explanation.");
  command->callback([options, &action] {
    action = [options] {
      print(route::explain(*options));
      return 0;
    };
  });
}

}  // namespace crunch
