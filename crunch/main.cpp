// SPDX-License-Identifier: ISC
// crunch/main.cpp: the tool. Each subcommand is a folder beside this file.

#include <CLI/CLI.hpp>
#include <cstdio>

#include <string_view>
#include <vector>

#include "crunch/auth/command.hpp"
#include "crunch/build/command.hpp"
#include "crunch/check/command.hpp"
#include "crunch/command_line.hpp"
#include "crunch/completion/command.hpp"
#include "crunch/configure/command.hpp"
#include "crunch/describe/command.hpp"
#include "crunch/disk/command.hpp"
#include "crunch/embed/command.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/command.hpp"
#include "crunch/pack/command.hpp"
#include "crunch/package/command.hpp"
#include "crunch/route/command.hpp"
#include "crunch/run/command.hpp"
#include "crunch/serve/command.hpp"
#include "crunch/version.hpp"

int main(int argc, char** argv) {
  crunch::stop_on_signals();
  CLI::App app("crunch: a static web site becomes a machine of its own.", "crunch");
  app.set_version_flag("--version", "crunch " CRUNCH_VERSION);
  app.require_subcommand(0, 1);
  app.footer(
      "Example:\n"
      "  crunch build htdocs -t unix -o site && ./site --http-port 8080\n\n"
      "crunch COMMAND --help says more about each.");
  crunch::Action action = [&app] {
    std::fputs(app.help().c_str(), stderr);
    return 2;
  };
  crunch::add_auth_command(app, action);
  crunch::add_build_command(app, action);
  crunch::add_check_command(app, action);
  crunch::add_completion_command(app, action);
  crunch::add_configure_command(app, action);
  crunch::add_describe_command(app, action);
  crunch::add_disk_command(app, action);
  crunch::add_embed_command(app, action);
  crunch::add_inspect_command(app, action);
  crunch::add_manual_command(app, action);
  crunch::add_pack_command(app, action);
  crunch::add_package_command(app, action);
  crunch::add_route_command(app, action);
  crunch::add_run_command(app, action);
  crunch::add_serve_command(app, action);
  // `crunch help serve` is `crunch serve --help`.
  std::vector<const char*> words(argv, argv + argc);
  if (argc > 1 && std::string_view(argv[1]) == "help") {
    words.erase(words.begin() + 1);
    words.push_back("--help");
  }
  return crunch::run_command_line(app, action, static_cast<int>(words.size()), words.data());
}
