// SPDX-License-Identifier: ISC
#include "crunch/inspect/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/elf.hpp"

namespace crunch::inspect {

ElfFile::ElfFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status {};
  if (!file_ || ::fstat(file_.get(), &status) != 0) fail("read the image", path);
  if (!S_ISREG(status.st_mode)) {
    throw Failure(in_quotes(path) + " is not a file; give an image that crunch build wrote");
  }
  size_bytes_ = static_cast<std::uint64_t>(status.st_size);
}

std::optional<std::string> ElfFile::section(std::string_view name) const {
  const ReadAt read = [this](std::uint64_t offset, base::MutableBytes out) {
    return read_at(file_.get(), offset, out, path_);
  };
  return read_section(read, size_bytes_, name, path_);
}

}  // namespace crunch::inspect
