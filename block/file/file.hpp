// SPDX-License-Identifier: ISC
// block/file/file.hpp: a regular file, or a block device of the kernel's, as a device.
//
// Models:  block::BlockDevice.   Owns: the descriptor, and the lock on the file.
// Sectors: 512 bytes of a file; of a block device its logical sectors.
// Blocks:  as long as the file system does; nothing is awaited.
// Durable: flush is fdatasync(2): a write that the kernel could not bring to the disk fails the
//          flush (law 6).
// Shared:  with no other writer: it holds a lock (flock(2)), and refuses a file that is locked.
// Threads: may share one.

#pragma once

#include <string>

#include "base/descriptor.hpp"
#include "block/block.hpp"

namespace block {

class File {
 public:
  enum class Access : std::uint8_t { read, read_write };

  // Throws std::runtime_error, a sentence that names `path`: it cannot be opened, is neither a file
  // nor a block device, is empty or not of whole sectors, or is in use.
  File(const std::string& path, Access access);
  // The same of a file that is open already, for what `access` says; `path` only names it. A lock
  // that its open file description has is this one's.
  File(base::Descriptor file, const std::string& path, Access access);

  [[nodiscard]] Info info() const noexcept { return info_; }
  [[nodiscard]] base::Ready<Result<void>> read(std::uint64_t sector, MutableBytes to) const;
  [[nodiscard]] base::Ready<Result<void>> write(std::uint64_t sector, Bytes from);
  [[nodiscard]] base::Ready<Result<void>> flush();

 private:
  base::Descriptor file_;
  Info info_;
};

static_assert(BlockDevice<File>);

}  // namespace block
