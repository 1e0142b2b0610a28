// SPDX-License-Identifier: ISC
#include "crunch/run/command.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "crunch/run/run.hpp"

namespace crunch {

void add_run_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<run::Options>();
  CLI::App* command = app.add_subcommand("run", "Start an image, as its target is started");
  command->add_option("IMAGE", options->image, "What crunch build has written")->required();
  command
      ->add_option(
          "--net", options->nets,
          "A tap device for the machine's network; for a Xen guest\na bridge [xenbr0]; for an "
          "hvt guest also auto (root): a\ntap and a bridge for it alone, removed after it. Again "
          "for\neach further network of a virtio machine or Xen guest")
      ->type_name("TAP")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--memory", options->memory_mib,
                   "The machine's memory [the image's size and 32]")
      ->type_name("MB")
      ->check(CLI::Range(8U, 1U << 20U));
  command
      ->add_option("--http", options->http_port,
                   "Port of this machine that leads to the image's HTTP [8080]")
      ->type_name("PORT")
      ->excludes("--net");
  command
      ->add_option("--https", options->https_port,
                   "Port of this machine that leads to the image's HTTPS [8443]")
      ->type_name("PORT")
      ->excludes("--net");
  command->add_flag("--kvm", options->uses_kvm,
                    "Let the processor run the machine (/dev/kvm), not an emulation");
  command->add_flag("--trace", options->traces, "Write each hypercall of an hvt guest");
  command->add_option("KEYS", options->boot_keys, "After --: boot keys for the image");
  command->footer(
      "Example:\n"
      "  crunch build htdocs -t virtio -o site.virtio && crunch run site.virtio -- --log=combined\n"
      "  crunch build htdocs -t hvt -o site.hvt && sudo crunch run site.hvt --net auto --trace\n"
      "  crunch build htdocs -t xen -o site.xen && crunch run site.xen --net xenbr0 --memory 32");
  command->callback([options, &action] { action = [options] { return run::run(*options); }; });
}

}  // namespace crunch
