// SPDX-License-Identifier: ISC
// crunch/directories.hpp: the directories that crunch reads from and writes to.
//
// States:  check_directory, note_missing_index, make_directories, NewDirectory, obstacle_to_file.
// Used by: crunch/*.

#pragma once

#include <string>

namespace crunch {

// Throws a Failure unless `path` is a directory.
void check_directory(const std::string& path);

// Writes a note to standard error if the directory has no index.html at its top, so that `/` will
// be a 404. If it contains a folder to which generators write sites, the note suggests that one.
void note_missing_index(const std::string& directory);

// Makes the directory and those above it. Throws a Failure if something else has that name.
void make_directories(const std::string& path);

// The directory of a file's path: "." if the path has none.
[[nodiscard]] std::string directory_of(const std::string& path);

// Makes a directory if it is missing. The destructor removes it again if the constructor made it,
// it is empty, and keep() was not called.
class NewDirectory {
 public:
  explicit NewDirectory(const std::string& path);
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  void keep() noexcept { path_.clear(); }

 private:
  std::string path_;  // empty: nothing to remove
};

// Why a file cannot be written at `path`, as a sentence: it is a directory, say, or its directory
// is missing. Empty: it looks possible.
[[nodiscard]] std::string obstacle_to_file(const std::string& path);

}  // namespace crunch
