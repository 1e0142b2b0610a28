// SPDX-License-Identifier: ISC
// crunch/new_file.hpp: files that appear whole or not at all.
//
// States:  NewFile, replace_changed, put_in_place, write_file.   Used by: crunch/*.
// Rule:    everything that crunch leaves behind was a NewFile: it is written under a temporary name
//          in the same directory, then renamed. If the program ends before that (a full disk, a
//          signal), the old file stays as it was.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/descriptor.hpp"

namespace crunch {

// A file being written. Until `replace` it has a temporary name, and the destructor removes it.
class NewFile {
 public:
  // `path` is its place in the end; `mode` is as for chmod (the umask does not apply).
  NewFile(std::string path, mode_t mode);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  void write(base::Bytes bytes);
  void write(std::string_view text) { write(base::bytes_of(text)); }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  // Removes what was written after the first `size_bytes`.
  void cut(std::uint64_t size_bytes);
  // Writes over bytes that were written before.
  void patch(std::uint64_t offset, base::Bytes bytes);

  // Writes out what is buffered. True: the file at `path` has other bytes or another mode, or is
  // missing.
  [[nodiscard]] bool differs();
  // Renames it to `path`. Call after `differs`.
  void replace();

  // Another descriptor of the open file; it shares the lock (temporary.hpp).
  [[nodiscard]] base::Descriptor duplicate() const;
  // Where the bytes are until then, for programs that write there themselves.
  [[nodiscard]] const std::string& temporary_path() const noexcept { return temporary_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  void flush();

  std::string path_;
  std::string temporary_;
  mode_t mode_;
  base::Descriptor file_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_bytes_ = 0;
};

// Renames the file at `from` to `to`, on the same file system, with this mode, unless `to` has the
// same bytes and mode already. Returns whether it renamed it.
bool put_in_place(const std::string& from, const std::string& to, mode_t mode);

// Renames those files that differ from what is in their place. Returns how many.
std::size_t replace_changed(std::vector<NewFile*> files);

// Writes a file with this text that only its owner may read.
void write_file(const std::string& path, std::string_view text);

}  // namespace crunch
