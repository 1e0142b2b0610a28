// SPDX-License-Identifier: ISC
#include "crunch/serve/command.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "crunch/failure.hpp"
#include "crunch/serve/serve.hpp"

namespace crunch {
namespace {

// `--https` alone is 8443.
std::uint16_t https_port_of(const std::string& text) {
  if (text.empty()) return 8443;
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stopped != end) {
    throw Usage("--https takes a port, a number up to 65535, not " + in_quotes(text));
  }
  return port;
}

}  // namespace

void add_serve_command(CLI::App& app, Action& action) {
  struct Words {
    serve::Options options;
    std::string host = "localhost";
    std::uint16_t port = 8080;
    std::string https_port;
    bool lan = false;
  };
  auto words = std::make_shared<Words>();
  CLI::App* command =
      app.add_subcommand("serve", "Show a directory in the browser while you work on it");
  command->add_option("DIR", words->options.directory, "The directory that holds the site")
      ->required();
  command->add_option("--http-port,--http", words->port, "The port; 0: one that is free [8080]")
      ->type_name("PORT");
  command
      ->add_option("--https,--https-port", words->https_port,
                   "HTTPS as well, on this port; 0: one that is free [8443]")
      ->type_name("PORT")
      ->expected(0, 1);
  command
      ->add_option("--cert", words->options.certificate,
                   "Its certificate chain, PEM or DER [made for the host]")
      ->type_name("FILE")
      ->needs("--https");
  command->add_option("--key", words->options.key, "The private key")
      ->type_name("FILE")
      ->needs("--cert");
  command->get_option("--cert")->needs("--key");
  command
      ->add_option("--address,--host", words->host,
                   "Where to listen: an address, or all, for others to see it [localhost]")
      ->type_name("ADDRESS");
  command
      ->add_option("--allow-host", words->options.allowed_hosts,
                   "Answer to this name, too; again for each; '*': to any")
      ->type_name("HOST")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--lan", words->lan,
                    "Let phones and others in the network see it: --address all,\nwith a QR code");
  command->get_option("--lan")->excludes("--address");
  command->add_flag("--open", words->options.opens_browser, "Show it in a browser");
  command->add_flag("--poll", words->options.polls,
                    "Look for changes every second, where the file system does\n"
                    "not tell of them (WSL2, Docker's mounts, NFS)");
  command->add_flag("--dotfiles", words->options.dotfiles,
                    "Show names that begin with '.' (without this: only .well-known)");
  command->footer(
      "Example:\n"
      "  crunch serve htdocs --http-port 3000 --https\n\n"
      "Pages reload by themselves when a file changes, style sheets without reloading the page.\n"
      "Nothing is compressed: the preview is for development only.");
  command->callback([words, command, &action] {
    const bool secure = command->count("--https") != 0;
    words->options.may_take_next_port = command->count("--http-port") == 0;
    action = [words, secure] {
      words->options.shows_qr = words->lan;
      serve::set_host(words->options, words->lan ? "all" : words->host);
      words->options.port = words->port;
      if (secure) words->options.https_port = https_port_of(words->https_port);
      return serve::serve(words->options);
    };
  });
}

}  // namespace crunch
