// SPDX-License-Identifier: ISC
#include "crunch/package/archive.hpp"

#include <utility>

#include "crunch/failure.hpp"
#include "crunch/tar.hpp"

namespace crunch::package {

void Archive::add(std::string_view name, std::string_view bytes, unsigned mode, Owner owner) {
  if (name.size() > 100) {
    throw Failure(in_quotes(name) + " is too long a name for an archive: at most 100 bytes");
  }
  if (bytes.size() >= 1ULL << 33U) {
    throw Failure(in_quotes(name) + " is too large for an archive: less than 8 GiB");
  }
  bytes_ += tar_header(
      {.name = name, .size_bytes = bytes.size(), .mode = mode, .uid = owner.uid, .gid = owner.gid});
  bytes_.append(bytes).append(tar_padding(bytes.size()), '\0');
}

std::string Archive::finish() && {
  bytes_.append(tar_end_bytes, '\0');
  return std::move(bytes_);
}

}  // namespace crunch::package
