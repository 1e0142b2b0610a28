// SPDX-License-Identifier: ISC
// crunch/package/image.hpp: what a package says about an image, read from the image itself.
//
// States:  Image, read_image, check_startable, check_name, check_word, Ports.
// Used by: crunch/package/{oci,systemd,kubernetes}.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crunch::package {

struct Image {
  std::string path;          // as it was given
  std::string name;          // the file's, without its folder
  std::string architecture;  // as OCI and Go name it: "amd64", "arm64"
  std::string site_digest;   // of the first site, in hexadecimal; empty: it has none
  std::string version;       // of the crunch that built it
  bool has_https = false;    // a certificate is built in
  bool has_https_port = false;
  bool has_management = false;
  bool is_secret = false;  // a key is built in: only its owner may read and start it
  // What it must be told or given that units and objects do not have; empty: nothing.
  std::string lacks;
};

// Where containers listen; above 1023, for a user without rights.
struct Ports {
  std::uint16_t http = 8080;
  std::uint16_t https = 8443;
  std::uint16_t management = 9100;
};

// Throws a Failure if the file is no image for Linux (`-t unix`).
[[nodiscard]] Image read_image(const std::string& path);

// A Failure if units or objects of the image would start it in vain.
void check_startable(const Image& image);

// A Usage unless `name` is what all that is packaged may be called: a label of RFC 1123 (small
// letters, digits and '-', 63 at most). `what` is the word for it.
void check_name(std::string_view what, std::string_view name);
// A Usage unless `word`, which `option` gave, can stand in a unit or an object as it is: letters,
// digits, '-', '_' and '.', a letter or digit first, 253 at most. Empty: the option was not given.
void check_word(std::string_view option, std::string_view word);

}  // namespace crunch::package
