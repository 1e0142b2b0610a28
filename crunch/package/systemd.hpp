// SPDX-License-Identifier: ISC
// crunch/package/systemd.hpp: an image as a service of systemd, started by its sockets.
//
// Makes:   NAME.service, and a socket unit for each port: NAME-http.socket, and NAME-https.socket
//          and NAME-management.socket where the image has such ports. systemd holds the sockets, so
//          a restart refuses no connection, and the service needs no right to a low port.
// Source:  systemd.service(5), systemd.socket(5), systemd.exec(5); as of version 252.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crunch/package/image.hpp"

namespace crunch::package {

struct TextFile {
  std::string name;
  std::string text;
};

struct Service {
  std::string name;                         // of the units
  std::string user;                         // empty: one that systemd makes up
  std::string log;                          // of --log
  std::optional<std::uint16_t> management;  // the port, on loopback; empty: off
};

// Throws a Failure for an image that only its owner may start, if no user is said.
[[nodiscard]] std::vector<TextFile> systemd_units(const Image& image, const Service& service);

}  // namespace crunch::package
