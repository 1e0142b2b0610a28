// SPDX-License-Identifier: ISC
// crunch/embed/walk.hpp: the files of a directory tree, sorted by key, and how to read them.
//
// States:  Source, Tree, Reading.   Used by: crunch/embed/embed.
// Reaches: only what lies beneath the root. Each file is opened beneath it without following
//          links, and must be the very file that the walk saw.
// Links:   a link to a file or directory of the tree is followed, and what it names has the link's
//          key too; a loop, a link out of the tree and a link to nothing are refused, all that
//          there are in one sentence. With follow_links those that leave the tree are followed too:
//          who can write to the directory can then publish any file that crunch may read.
// Left out: names that begin with '.', except ".well-known" (RFC 8615), unless they are asked for;
//          what --exclude names; what editors and systems leave behind, unless it is asked for;
//          what is about the site and no part of it, at its root: crunch.toml, _headers,
//          _redirects; the places that the output goes to, and those of a crunch's
//          work.
// Refused: names that are not UTF-8; pipes, sockets and devices.

#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "crunch/embed/glob.hpp"
#include "crunch/files.hpp"

namespace crunch::embed {

inline constexpr std::size_t key_bytes_max = 8000;  // longer ones fit into no request head
inline constexpr std::size_t files_max = 8'000'000;

// One file, as the walk saw it.
struct Source {
  std::string key;
  std::string path;  // beneath the root, without links; absolute: out of the tree
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t size_bytes = 0;
  timespec modified{};
};

struct WalkOptions {
  bool dotfiles = false;
  bool backups = false;
  bool follow_links = false;  // also out of the tree
  std::vector<Glob> excludes;
  std::vector<std::string> outputs;  // never part of the tree, wherever they are
  // Folders that are a host's root: what is about them is left out, as at the tree's own.
  std::vector<std::string> roots;
};

// Whether editors, merges and file managers leave files of this name behind.
[[nodiscard]] bool is_backup(std::string_view name);

class Tree {
 public:
  // Walks `root`. Throws a Failure that names what is wrong.
  Tree(std::string root, const WalkOptions& options);

  [[nodiscard]] const std::vector<Source>& files() const noexcept { return files_; }
  // Every directory that was listed: a change of any can change the files.
  [[nodiscard]] const std::vector<std::string>& directories() const noexcept {
    return directories_;
  }
  [[nodiscard]] std::size_t dotfile_count() const noexcept { return dotfile_count_; }
  [[nodiscard]] const std::vector<std::string>& left_out_outputs() const noexcept {
    return left_out_outputs_;
  }
  // Keys of backups and the like, in no order.
  [[nodiscard]] const std::vector<std::string>& left_out_backups() const noexcept {
    return left_out_backups_;
  }
  // The root joined with a path beneath it, for messages. An absolute one stays.
  [[nodiscard]] std::string name_of(std::string_view path) const;

  // Opens what lies at `path` beneath the root; -1 with errno.
  [[nodiscard]] Descriptor open_beneath(std::string_view path, int flags) const;

 private:
  friend class Walk;
  std::string root_;
  Descriptor descriptor_;
  std::vector<Source> files_;
  std::vector<std::string> directories_;
  std::vector<std::string> left_out_outputs_;
  std::vector<std::string> left_out_backups_;
  std::size_t dotfile_count_ = 0;
};

// A file of the tree being read from its start to its end. Throws a Failure when it has vanished,
// or is not what the walk saw: before the first byte, and again after the last.
class Reading {
 public:
  Reading(const Tree& tree, const Source& source);
  // Fills `out` as far as the file goes.
  std::size_t read(base::MutableBytes out);
  // Call after the last byte.
  void finish();

 private:
  void check() const;

  const Source& source_;
  std::string name_;
  Descriptor file_;
  std::uint64_t offset_ = 0;
};

[[nodiscard]] std::vector<std::byte> read_whole(const Tree& tree, const Source& source);

}  // namespace crunch::embed
