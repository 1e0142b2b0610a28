// SPDX-License-Identifier: ISC
// crunch/serve/serve.hpp: the local preview: the images' own server over a directory, whose pages
// reload when it changes.
//
// Ends:    SIGINT or SIGTERM, with 0.   Throws Failure: what is wrong with the directory or the
//          port, as a sentence.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/endpoint.hpp"

namespace crunch::serve {

struct Options {
  std::string directory;
  net::Endpoint address;                    // without the port; all zero: every address
  std::string host_name;                    // as a browser writes it: "localhost", "[::1]"
  std::uint16_t port = 0;                   // 0: one that is free
  bool may_take_next_port = false;          // if that one is taken
  std::optional<std::uint16_t> https_port;  // HTTPS beside HTTP, of the same pages
  std::string certificate;                  // its file and that of its key; empty: one is made
  std::string key;
  bool dotfiles = false;
  bool polls = false;     // polls for changes, where inotify does not tell of them
  bool shows_qr = false;  // of the first address in the network
  bool opens_browser = false;
  // Names by which browsers may ask for it beside local ones and the host's: "*": any. Pages of
  // others could point a name of theirs here (DNS rebinding).
  std::vector<std::string> allowed_hosts;
};

// The address that `host` means: "localhost" is 127.0.0.1, "all" is every address of this machine,
// others are written in numbers. Throws Usage for anything else.
void set_host(Options& options, const std::string& host);

int serve(const Options& options);

}  // namespace crunch::serve
