// SPDX-License-Identifier: ISC
#include "tender/disk.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

namespace tender {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error("the disk '" + path + "' " + why);
}
[[noreturn]] void refuse_errno(const std::string& path, const std::string& what) {
  refuse(path, what + ": " + std::strerror(errno));
}

}  // namespace

Disk open_disk(const std::string& path) {
  // O_NONBLOCK: a FIFO without a writer would be waited for.
  base::Descriptor file(::open(path.c_str(), O_RDWR | O_DSYNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) refuse_errno(path, "cannot be opened for writing");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) refuse_errno(path, "cannot be looked at");
  std::uint64_t bytes = 0;
  int block_bytes = 512;
  if (S_ISREG(status.st_mode)) {
    bytes = static_cast<std::uint64_t>(status.st_size);
  } else if (!S_ISBLK(status.st_mode)) {
    refuse(path, "is neither a file nor a block device");
  } else if (::ioctl(file.get(), BLKGETSIZE64, &bytes) != 0 ||
             ::ioctl(file.get(), BLKSSZGET, &block_bytes) != 0) {
    refuse_errno(path, "does not say its size");
  }
  // The manifest has 16 bits for it.
  if (block_bytes < 512 || block_bytes > std::numeric_limits<std::uint16_t>::max()) {
    refuse(path, "has sectors of " + std::to_string(block_bytes) + " bytes; 512 to 32768 can be " +
                     "used");
  }
  if (bytes == 0) refuse(path, "is empty: a disk has its size from the start");
  if (bytes % static_cast<unsigned>(block_bytes) != 0) {
    refuse(path, "has " + std::to_string(bytes) + " bytes, which is no multiple of its sectors' " +
                     std::to_string(block_bytes));
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) refuse(path, "is in use by another process");
    refuse_errno(path, "cannot be locked");
  }
  solo5::BlockDetails details{};
  details.capacity_bytes = bytes;
  details.block_bytes = static_cast<std::uint16_t>(block_bytes);
  details.flags = solo5::block_is_durable;
  return {std::move(file), details};
}

}  // namespace tender
