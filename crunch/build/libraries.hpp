// SPDX-License-Identifier: ISC
// crunch/build/libraries.hpp: which libraries an image contains, by the linker's map.
//
// States:  Libraries.   Used by: crunch/build/build.
// Method:  lib/crunch/libraries.json lists what images may be linked with (cmake/libraries.cmake);
//          the compiler says what its C and C++ libraries are. The linker's map names the archive
//          members whose sections are in the image, those that it discarded left out. A library is
//          listed if the image has a section from one of its archives.
// Where:   the list is in the section .crunch.libraries of the image, which is not loaded. Its size
//          has to be known before the image is linked: `all` is linked in, and `linked`, padded to
//          the same size, is written over it.
// Format:  a JSON array of {"name", "version", "licence", "source", "purl"}; purl may be empty.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crunch/build/recipe.hpp"

namespace crunch::build {

inline constexpr std::string_view libraries_section = ".crunch.libraries";

class Libraries {
 public:
  // What `recipe`, whose folder is `folder`, may link, and what the compiler `words` adds. Throws a
  // Failure if crunch's own list cannot be read.
  Libraries(const std::string& folder, const Recipe& recipe, const std::vector<std::string>& words);

  // The section's content before linking.
  [[nodiscard]] std::string all() const;
  // The section's content for an image that was linked with this map of GNU ld: as long as all().
  // A map of another linker's says nothing that we read: then it is all().
  [[nodiscard]] std::string linked(std::string_view map) const;
  // Writes linked(map) into the image at `path`.
  void record(const std::string& path, std::string_view map) const;

 private:
  struct Library {
    std::string json;
    std::vector<std::string> archives;  // "libnettle.a", or how names of members begin
  };
  void add(const std::string& json);
  [[nodiscard]] std::string text_of(const std::vector<bool>& chosen) const;

  std::vector<Library> libraries_;
};

// The archive members, as "libx.a(member.o)", of which GNU ld's map says that something of theirs
// is in memory. Empty: it is no map of GNU ld.
[[nodiscard]] std::vector<std::string> linked_members(std::string_view map);

}  // namespace crunch::build
