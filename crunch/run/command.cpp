// SPDX-License-Identifier: ISC
#include "crunch/run/command.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "crunch/run/run.hpp"

namespace crunch {
namespace {

// `title`, and below it the line that each target has for it.
std::string with_lines(std::string title, std::string_view run::Runner::*line) {
  for (const run::Runner* runner : run::runners()) {
    if (!(runner->*line).empty()) title.append("\n").append(runner->*line);
  }
  return title;
}

std::string examples() {
  std::string text = "Example:";
  for (const run::Runner* runner : run::runners()) {
    text.append("\n  ").append(runner->example);
  }
  return text;
}

}  // namespace

void add_run_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<run::Options>();
  CLI::App* command = app.add_subcommand("run", "Start an image: a program, or a machine");
  command->add_option("IMAGE", options->image, "What crunch build has written")->required();
  command
      ->add_option("--net", options->nets,
                   with_lines("The network that the machine is on; may be given again",
                              &run::Runner::net_help))
      ->type_name("DEVICE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--disk", options->disks,
                   "A disk for it, by crunch disk format or crunch pack; again for each")
      ->type_name("FILE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--memory", options->memory_mib,
                   "The machine's memory [the image's size and 32]")
      ->type_name("MB")
      ->check(CLI::Range(8U, 1U << 20U));
  command
      ->add_option("--http-port,--http", options->http_port,
                   "Port of this machine that leads to the image's HTTP [8080]")
      ->type_name("PORT")
      ->excludes("--net");
  command
      ->add_option("--https-port,--https", options->https_port,
                   "Port of this machine that leads to the image's HTTPS [8443]")
      ->type_name("PORT")
      ->excludes("--net");
  command->add_flag("--kvm", options->uses_kvm,
                    "Let the processor run the machine (/dev/kvm), not an emulation");
  command->add_flag("--trace", options->traces,
                    with_lines("Write what the image asks of its host", &run::Runner::trace_help));
  command->add_option("KEYS", options->boot_keys, "After --: boot keys for the image");
  command->footer(examples());
  command->callback([options, &action] { action = [options] { return run::run(*options); }; });
}

}  // namespace crunch
