// SPDX-License-Identifier: ISC
// crunch/embed/gather.hpp: the files of a tree and what becomes of each, placed one after another
// in a file: what `crunch embed` and `crunch pack` have in common.
//
// States:  Gatherer, depfile_text.
// Order:   walk -> (for each file, on all cores: read, digest, siblings, compress) -> content, in
//          the order of the keys.
// Says:    on standard error: what is left out, what looks wrong with the tree, a file or the
//          rules, and how far it is.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crunch/embed/cache.hpp"
#include "crunch/embed/embed.hpp"
#include "crunch/embed/emit.hpp"
#include "crunch/embed/fingerprints.hpp"
#include "crunch/embed/prepare.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/embed/walk.hpp"
#include "crunch/progress.hpp"

namespace crunch::embed {

class Gatherer {
 public:
  // All must outlive it. The content goes to `file`; `what` names the work for the progress line.
  Gatherer(const Options& options, const SiteFile& site_file, const Tree& tree, NewFile& file,
           Layout& layout, const char* what);

  // Places everything. Throws a Failure.
  void gather();

  [[nodiscard]] const Site& site() const noexcept { return site_; }
  // Of what was gathered: counts and sizes; the rest is the caller's.
  [[nodiscard]] Summary summary() const;

 private:
  void place_all();
  void place(std::size_t i, Prepared prepared);
  Placed place_in_pieces(const Source& source, const Label& label);
  void place_plan();
  void link_siblings();

  const Options& options_;
  const SiteFile& site_file_;
  const Tree& tree_;
  Fingerprints fingerprints_;
  std::optional<std::int64_t> epoch_;
  Cache cache_;
  Known known_;
  Content content_;
  Progress progress_;
  Site site_;
  std::vector<std::array<std::optional<std::size_t>, kv::encoding_count>> siblings_;
  std::uint64_t done_bytes_ = 0;
  bool has_plan_ = false;
};

// Says what is left out of the tree or looks wrong with its names.
void say_notes(const Tree& tree);

// What `target` depends on, for make and ninja: files and directories, as a new file is a changed
// directory.
[[nodiscard]] std::string depfile_text(const Options& options, const SiteFile& site_file,
                                       const Tree& tree, const std::string& target);

}  // namespace crunch::embed
