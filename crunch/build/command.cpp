// SPDX-License-Identifier: ISC
#include "crunch/build/command.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "crunch/build/build.hpp"
#include "crunch/build/recipe.hpp"
#include "crunch/embed/command.hpp"

namespace crunch {
namespace {

void add_certificate_options(CLI::App& command, build::Options& options) {
  command
      .add_option("--cert", options.certificates,
                  "Serve HTTPS with this certificate chain, PEM or DER;\n"
                  "again for each; they are chosen by name")
      ->type_name("FILE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--key", options.keys, "Its private key; as many as --cert")
      ->type_name("FILE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      .add_option("--self-signed", options.self_signed,
                  "Serve HTTPS with a certificate made for HOST, to try things out")
      ->type_name("HOST")
      ->excludes("--cert");
  command
      .add_option("--acme", options.acme,
                  "Let the image get its certificate from a CA, and renew it: by\n"
                  "letsencrypt, letsencrypt-staging or the URL of its directory;\n"
                  "the names are those of [[host]], or --set acme-names=a,b")
      ->type_name("letsencrypt|URL");
  command
      .add_option("--roots", options.roots,
                  "Whom the image trusts when it connects to others by TLS: a\n"
                  "file in PEM, letsencrypt, or debian for all of ca-certificates")
      ->type_name("FILE|letsencrypt|debian");
  command
      .add_option("--expect-host,--host", options.hosts,
                  "A name or address that clients will ask for: warn if no\n"
                  "certificate covers it")
      ->type_name("HOST")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

}  // namespace

void add_build_command(CLI::App& app, Action& action) {
  struct Words {
    embed::OptionWords embed;
    build::Options options;
  };
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand("build", "Turn a directory into an image that serves it");
  embed::add_options(*command, words->embed);
  command->get_option("DIR")->required(false)->description(
      "The directory that holds the site; a --config may do without");
  build::Options& options = words->options;
  command
      ->add_option("-t,--target", options.target,
                   "What the image runs on: " + build::target_list() + " [unix]")
      ->type_name("TARGET");
  command->add_option("-o,--output", options.image, "The file to write")
      ->type_name("IMAGE")
      ->required();
  command
      ->add_option("--config", options.config,
                   "What the image is made of, in C++ [the default configuration]")
      ->type_name("FILE");
  command
      ->add_option("--set", options.set,
                   "Give a key a value; again for each key (crunch describe\n"
                   "lists them). Also crunch.toml beside DIR, or CRUNCH_KEY")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  add_certificate_options(*command, options);
  command->add_flag("!--no-link-check", options.checks_links,
                    "Do not look for links that lead nowhere (crunch check lists all)");
  command->add_flag("--keep-symbols", options.keeps_symbols,
                    "Also write IMAGE.debug, the same code with its symbols, for gdb");
  command->footer(
      "Example:\n"
      "  crunch build htdocs -t unix -o site && ./site --http-port 8080\n\n"
      "The C++ compiler is g++, or what CXX names.");
  command->callback([words, &action] {
    action = [words] {
      words->options.embed = embed::options_of(words->embed);
      build::Summary summary = build::build(words->options);
      std::printf("%s\n", build::summary_text(summary, words->options).c_str());
      return 0;
    };
  });
}

}  // namespace crunch
