// SPDX-License-Identifier: ISC
// crunch/embed/glob.hpp: which keys an --exclude pattern matches.
//
// Patterns: `*` and `?` match within a segment, `**` across segments, `[a-z]` and `[!a-z]` one
//           byte, `\` takes the next byte as it is. A pattern without '/' (apart from one at its
//           end) is compared with every segment's name; one with '/' with the whole key. A '/' at
//           the end: directories only. What is below a directory that matches is left out with it.

#pragma once

#include <string>
#include <string_view>

namespace crunch::embed {

// Does `pattern` match all of `text`? Takes at most |pattern| * |text| steps.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text);

class Glob {
 public:
  explicit Glob(std::string_view pattern);
  // Of a key whose ancestors do not match.
  [[nodiscard]] bool excludes(std::string_view key, bool is_directory) const;

 private:
  std::string pattern_;
  bool directories_only_ = false;
  bool whole_key_ = false;
};

}  // namespace crunch::embed
