// SPDX-License-Identifier: ISC
#include "block/file/file.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace block {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error("the disk " + path + " " + why);
}
[[noreturn]] void refuse_errno(const std::string& path, const char* what) {
  refuse(path, std::string(what) + ": " + std::strerror(errno));
}

std::uint64_t device_bytes(int fd, const std::string& path) {
  std::uint64_t bytes = 0;
  if (::ioctl(fd, BLKGETSIZE64, &bytes) != 0) refuse_errno(path, "does not say its size");
  return bytes;
}
std::uint32_t device_sector_bytes(int fd, const std::string& path) {
  int bytes = 0;
  if (::ioctl(fd, BLKSSZGET, &bytes) != 0) refuse_errno(path, "does not say its sectors' size");
  return static_cast<std::uint32_t>(bytes);
}

Info info_of(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) refuse_errno(path, "cannot be looked at");
  const bool is_device = S_ISBLK(status.st_mode);
  if (!is_device && !S_ISREG(status.st_mode)) refuse(path, "is neither a file nor a block device");
  const std::uint64_t bytes =
      is_device ? device_bytes(fd, path) : static_cast<std::uint64_t>(status.st_size);
  Info info;
  if (is_device) info.sector_bytes = device_sector_bytes(fd, path);
  if (bytes == 0) refuse(path, "is empty: a disk has its size from the start");
  if (bytes % info.sector_bytes != 0) {
    refuse(path, "has " + std::to_string(bytes) + " bytes, which is no multiple of its sectors' " +
                     std::to_string(info.sector_bytes));
  }
  info.sector_count = bytes / info.sector_bytes;
  if (!is_possible(info)) {
    refuse(path, "has sectors of " + std::to_string(info.sector_bytes) +
                     " bytes; 512 to 65536 can "
                     "be used");
  }
  return info;
}

// Calls `call(done, bytes)` until all is done; false: it failed, or the medium ends early.
template <class Call>
bool do_all(std::size_t bytes, const Call& call) {
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t now = call(done, bytes - done);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return false;
    done += static_cast<std::size_t>(now);
  }
  return true;
}

base::Descriptor opened(const std::string& path, bool writes) {
  // Not one that waits, such as a FIFO without a writer.
  base::Descriptor file(
      ::open(path.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) refuse_errno(path, writes ? "cannot be opened for writing" : "cannot be opened");
  return file;
}

base::Ready<Result<void>> answer(bool is_done) {
  if (!is_done) return {base::failure(Error::unavailable)};
  return {{}};
}

}  // namespace

File::File(const std::string& path, Access access)
    : File(opened(path, access == Access::read_write), path, access) {}

File::File(base::Descriptor file, const std::string& path, Access access) : file_(std::move(file)) {
  const bool writes = access == Access::read_write;
  info_ = info_of(file_.get(), path);
  info_.is_read_only = !writes;
  if (::flock(file_.get(), (writes ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) refuse(path, "is in use by another process");
    refuse_errno(path, "cannot be locked");
  }
}

base::Ready<Result<void>> File::read(std::uint64_t sector, MutableBytes to) const {
  if (!is_in_range(info_, sector, to.size())) {
    return {base::failure(Error::out_of_range)};
  }
  const std::uint64_t offset = sector * info_.sector_bytes;
  return answer(do_all(to.size(), [&](std::size_t done, std::size_t bytes) {
    return ::pread(file_.get(), to.data() + done, bytes, static_cast<off_t>(offset + done));
  }));
}

base::Ready<Result<void>> File::write(std::uint64_t sector, Bytes from) {
  if (info_.is_read_only) return {base::failure(Error::read_only)};
  if (!is_in_range(info_, sector, from.size())) {
    return {base::failure(Error::out_of_range)};
  }
  const std::uint64_t offset = sector * info_.sector_bytes;
  return answer(do_all(from.size(), [&](std::size_t done, std::size_t bytes) {
    return ::pwrite(file_.get(), from.data() + done, bytes, static_cast<off_t>(offset + done));
  }));
}

base::Ready<Result<void>> File::flush() {
  return answer(info_.is_read_only || ::fdatasync(file_.get()) == 0);
}

}  // namespace block
