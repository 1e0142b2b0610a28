// SPDX-License-Identifier: ISC
// crunch/embed/embed.hpp: turns a directory tree into C++ in one call.
//
// States:  Options, Summary, embed.   Used by: `crunch embed`, `crunch build`, `crunch serve`.
// Order:   walk -> (for each file, on all cores: read, digest, siblings, compress) -> content, in
//          the order of the keys -> index, manifest, C++ -> all put in place at once.
// Output:  the same bytes for the same input, whatever the directory's order, the clock and the
//          number of threads. What did not change is not touched.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crunch/embed/compress.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/embed/walk.hpp"

namespace crunch::embed {

struct Options {
  std::string root;
  std::string out;  // a directory; made if it is not there
  std::string name = "site";
  bool portable = false;
  Effort effort = Effort::normal;
  std::uint8_t encodings = 0b1111;  // as in kv::Stat
  std::vector<std::string> excludes;
  bool dotfiles = false;
  bool follow_links = false;   // also out of the tree
  bool strict = false;         // warnings about the site's rules are errors
  bool backups = false;        // also what editors and systems leave behind
  unsigned threads = 0;        // 0: as many as there are cores
  std::string cache;           // a directory; empty: none
  std::string depfile;         // for make and ninja: what the output depends on; empty: none
  std::string depfile_target;  // what depends on it; empty: the C++
  // Content of at least this size is appended, not compiled (crunch/build/appended.hpp); 0: none.
  std::uint64_t apart_bytes_min = 0;
  std::uint64_t content_bytes_max = ~std::uint64_t{0};  // more is a Failure, said before the work
  std::vector<std::string> also_read;                   // files that others read for it
  std::vector<std::string> leave_out;  // paths that are no part of the site, wherever they are
};

struct Summary {
  std::size_t file_count = 0;
  std::size_t dotfile_count = 0;
  std::uint64_t site_bytes = 0;        // of all files
  std::uint64_t stored_bytes = 0;      // of the content
  std::uint64_t compressed_bytes = 0;  // of all files, each in its smallest form
  bool is_apart = false;               // the C++ does not hold the content
  std::size_t changed_count = 0;       // of the output's files
  std::string site_digest;
  double seconds = 0;
};

// What of the options says which files there are.
[[nodiscard]] WalkOptions walk_options_of(const Options& options, const SiteFile& site_file);

// Throws a Failure, with the output as it was. Warnings and progress go to standard error.
Summary embed(const Options& options);

// One line for a person.
[[nodiscard]] std::string summary_text(const Summary& summary);

}  // namespace crunch::embed
