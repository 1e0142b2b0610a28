// SPDX-License-Identifier: ISC
// crunch/files.hpp: descriptors, whole files, and files that are there either whole or not at all.
//
// States:  read_file, NewFile, WorkFolder, stop_on_signals.   Used by: crunch/*.
// Rule:    everything that crunch leaves behind was a NewFile: written beside its place under
//          another name, then renamed. Whatever ends the program before (a full disk, a signal)
//          leaves the old file as it was.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/descriptor.hpp"

namespace crunch {

using base::Descriptor;

// Reads up to out.size() bytes at `offset`: fewer only at the end of the file. Throws a Failure
// that names `path`.
std::size_t read_at(int fd, std::uint64_t offset, base::MutableBytes out, std::string_view path);

// The whole file; a Failure if it cannot be read or has more than `bytes_max`.
[[nodiscard]] std::string read_file(const std::string& path,
                                    std::uint64_t bytes_max = std::uint64_t{1} << 30U);

// A Failure unless `path` is a directory.
void check_directory(const std::string& path);

// Says on standard error if the directory has no index.html at its top: whoever asks for / will get
// 404. Where it holds a folder that generators write sites to, that one was probably meant.
void note_missing_index(const std::string& directory);

// Is it a name of what a crunch that is under way, or was killed, has for its work?
[[nodiscard]] bool is_temporary_name(std::string_view name);

// Writes to standard output. Who reads it may leave when it has enough, as `head` does.
void print(const std::string& text);

// Makes the directory and those above it. A Failure if something else stands there.
void make_directories(const std::string& path);

// A directory that is there from now on: made if need be. Unless it is kept, one that was made here
// is removed again at the end, if it is empty.
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

// Why nobody can write a file at `path`, as a sentence: it is a directory, or there is none to put
// it in. Empty: it looks possible.
[[nodiscard]] std::string obstacle_to_file(const std::string& path);

// A file being written. Until `replace` it has another name, and is removed with this object.
class NewFile {
 public:
  // `path` is where it will be; `mode` is as for chmod, exactly (the umask is applied to none).
  NewFile(std::string path, mode_t mode);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  void write(base::Bytes bytes);
  void write(std::string_view text) { write(base::bytes_of(text)); }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  // Takes back what was written after the first `size_bytes`.
  void cut(std::uint64_t size_bytes);

  // Writes out what is buffered. True: what stands at `path` now has other bytes or another mode.
  [[nodiscard]] bool differs();
  // Puts it in its place. Call after `differs`.
  void replace();

  // The open file, once more: it shares the lock that tells that somebody works on it.
  [[nodiscard]] Descriptor duplicate() const;
  // Where the bytes are until then: for programs that write to it themselves.
  [[nodiscard]] const std::string& temporary_path() const noexcept { return temporary_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  void flush();

  std::string path_;
  std::string temporary_;
  mode_t mode_;
  Descriptor file_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_bytes_ = 0;
};

// Puts the file at `from` in the place of `to`, on the same file system, with this mode; unless
// `to` has the same bytes and mode already. Answers whether it did.
bool put_in_place(const std::string& from, const std::string& to, mode_t mode);

// A folder for what is made on the way to the file `beside`: next to it, so that the result can be
// renamed. Removed with all that is in it.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& beside);
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder();
  // Absolute.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  Descriptor held_;  // locked: no other crunch takes it for a dead one's
};

// Renames what differs from what is there, and only that. Answers how many did.
std::size_t replace_changed(std::vector<NewFile*> files);

// A file that only its owner may read, with this text.
void write_file(const std::string& path, std::string_view text);

// From here on SIGINT, SIGTERM and SIGHUP make `check_stopped` throw Interrupted, and a file size
// limit or a closed pipe is an error of write, not a signal.
void stop_on_signals();
void check_stopped();

}  // namespace crunch
