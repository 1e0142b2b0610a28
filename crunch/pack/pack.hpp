// SPDX-License-Identifier: ISC
// crunch/pack/pack.hpp: a directory tree becomes a tar archive that an image built with store=tar
// serves as it would serve the tree built into it.
//
// States:  pack.   Used by: `crunch pack`.
// Output:  kv/tar/packed.hpp. The same bytes for the same input, put in place at once; an archive
//          that is the same is not touched.
// Rule:    what is read, checked and said is what `crunch build` reads, checks and says.

#pragma once

#include "crunch/embed/embed.hpp"

namespace crunch::pack {

struct Options {
  embed::Options embed;  // `out` is the archive; `name`, `portable` and what is apart do not count
  bool checks_links = true;
};

// Throws a Failure or Usage, with the archive as it was. Warnings and progress go to standard
// error.
embed::Summary pack(const Options& options);

}  // namespace crunch::pack
