// SPDX-License-Identifier: ISC
// config/embedded_file.hpp: a file that `crunch build` puts into an image beside the site.

#pragma once

namespace config {

// An array of them ends with one without a name. In `crunched_credentials` certificates and keys
// follow each other in pairs.
struct EmbeddedFile {
  const char* name;
  const unsigned char* begin;
  const unsigned char* end;
};

}  // namespace config
