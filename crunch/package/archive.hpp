// SPDX-License-Identifier: ISC
// crunch/package/archive.hpp: a tar archive without times or users of the machine that makes it.
//
// Models:  ustar (POSIX.1-1988, pax(1) "ustar Interchange Format"): files only.
// Errors:  a Failure for a name of more than 100 bytes and for a file of 8 GiB and more.

#pragma once

#include <string>
#include <string_view>

namespace crunch::package {

struct Owner {
  unsigned uid = 0;
  unsigned gid = 0;
};

class Archive {
 public:
  void add(std::string_view name, std::string_view bytes, unsigned mode = 0444, Owner owner = {});
  // The whole archive, with its end.
  [[nodiscard]] std::string finish() &&;

 private:
  std::string bytes_;
};

}  // namespace crunch::package
