// SPDX-License-Identifier: ISC
// crunch/check/check.hpp: what is wrong with a site: its links, its fragments, its rules.
//
// States:  Options, check, warn_of_links.   Used by: `crunch check`, `crunch build`.

#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "crunch/check/findings.hpp"
#include "crunch/embed/embed.hpp"

namespace crunch::check {

struct Options {
  embed::Options site;  // DIR, and which of its files count
  std::set<Code> ignored;
  std::optional<std::uint64_t> image_bytes_max;
};

// Throws a Failure if the directory, or its crunch.toml, cannot be read.
[[nodiscard]] Report check(const Options& options);

// For a build: says which links of the pages lead nowhere, a few of them by name, on standard
// error.
void warn_of_links(const embed::Options& site);

}  // namespace crunch::check
