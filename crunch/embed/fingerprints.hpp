// SPDX-License-Identifier: ISC
// crunch/embed/fingerprints.hpp: which possible fingerprints the other names of a folder confirm.
//
// Why:      every fourth digest that Vite writes has no digit, and looks like words put together
//           ("index-DiwrgTda.js"). In a folder in which a bundler keeps its outputs, no script and
//           no style sheet has a plain name.
// Used by:  crunch/embed/prepare.   May include: std, http/caching, crunch/embed/walk.

#pragma once

#include <set>
#include <string>
#include <string_view>

#include "crunch/embed/walk.hpp"

namespace crunch::embed {

class Fingerprints {
 public:
  explicit Fingerprints(const Tree& tree);

  // Is the name of `key` possibly fingerprinted, and do those of its folder say that it is: two or
  // more certain ones, and no script or style sheet without?
  [[nodiscard]] bool confirm(std::string_view key) const;

 private:
  std::set<std::string, std::less<>> folders_;  // of bundlers; with '/' at the end
};

}  // namespace crunch::embed
