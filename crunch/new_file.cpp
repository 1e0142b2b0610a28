// SPDX-License-Identifier: ISC
#include "crunch/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "crunch/directories.hpp"
#include "crunch/failure.hpp"
#include "crunch/read_file.hpp"
#include "crunch/stop.hpp"
#include "crunch/temporary.hpp"

namespace crunch {
namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;

bool is_zero(base::Bytes bytes) {
  return bytes.front() == std::byte{0} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// Whether two open files have the same bytes.
bool same_bytes(int a, int b, const std::string& path) {
  std::vector<std::byte> of_a(buffer_bytes);
  std::vector<std::byte> of_b(buffer_bytes);
  for (std::uint64_t offset = 0;;) {
    check_stopped();
    std::size_t count_a = read_at(a, offset, of_a, path);
    std::size_t count_b = read_at(b, offset, of_b, path);
    if (count_a != count_b || std::memcmp(of_a.data(), of_b.data(), count_a) != 0) return false;
    if (count_a == 0) return true;
    offset += count_a;
  }
}

// Whether the file at `path` is missing, or differs from the open file with this mode.
bool is_other_file(int fd, const std::string& path, mode_t mode) {
  struct stat old {};
  struct stat ours {};
  if (::fstat(fd, &ours) != 0) fail("look at", path);
  base::Descriptor present(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!present || ::fstat(present.get(), &old) != 0 || !S_ISREG(old.st_mode)) return true;
  if (old.st_size != ours.st_size || (old.st_mode & 07777U) != mode) return true;
  return !same_bytes(present.get(), fd, path);
}

}  // namespace

bool put_in_place(const std::string& from, const std::string& to, mode_t mode) {
  base::Descriptor ours(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!ours) fail("read", from);
  if (!is_other_file(ours.get(), to, mode)) return false;
  if (::fchmod(ours.get(), mode) != 0) fail("set the mode of", from);
  check_stopped();
  if (::rename(from.c_str(), to.c_str()) != 0) fail("put in place", to);
  return true;
}

NewFile::NewFile(std::string path, mode_t mode) : path_(std::move(path)), mode_(mode) {
  std::string directory = directory_of(path_);
  remove_abandoned(directory);
  buffer_.reserve(buffer_bytes);
  for (int attempt = 0; attempt < temporary_attempts_max; ++attempt) {
    const std::string place = directory + "/" + temporary_name();
    file_ = base::Descriptor(
        ::open(place.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file_ && errno != EEXIST) fail("write a file into", directory);
    if (!file_ || !lock_temporary(file_, place)) continue;
    temporary_ = place;
    return;
  }
  throw Failure("cannot write a file into " + in_quotes(directory) + " that stays");
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

base::Descriptor NewFile::duplicate() const {
  base::Descriptor same(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (!same) fail("open", temporary_);
  return same;
}

void NewFile::flush() {
  base::Bytes rest = buffer_;
  if (buffer_.size() == buffer_bytes && is_zero(rest)) {
    // A hole: the source may have had one too.
    const off_t end = ::lseek(file_.get(), static_cast<off_t>(rest.size()), SEEK_CUR);
    if (end < 0 || ::ftruncate(file_.get(), end) != 0) fail("write", path_);
    rest = {};
  }
  while (!rest.empty()) {
    ssize_t count = ::write(file_.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write", path_);
    rest = rest.subspan(static_cast<std::size_t>(count));
  }
  buffer_.clear();
}

void NewFile::write(base::Bytes bytes) {
  size_bytes_ += bytes.size();
  while (!bytes.empty()) {
    std::size_t count = std::min(bytes.size(), buffer_bytes - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (buffer_.size() == buffer_bytes) {
      check_stopped();
      flush();
    }
  }
}

void NewFile::cut(std::uint64_t size_bytes) {
  flush();
  auto size = static_cast<off_t>(size_bytes);
  if (::ftruncate(file_.get(), size) != 0) fail("write", path_);
  if (::lseek(file_.get(), size, SEEK_SET) != size) fail("write", path_);
  size_bytes_ = size_bytes;
}

void NewFile::patch(std::uint64_t offset, base::Bytes bytes) {
  flush();
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write", path_);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

bool NewFile::differs() {
  flush();
  return is_other_file(file_.get(), path_, mode_);
}

void NewFile::replace() {
  flush();
  if (::fchmod(file_.get(), mode_) != 0) fail("set the mode of", path_);
  // Some file systems (NFS) report only now that the disk is full.
  if (::close(file_.release()) != 0) fail("write", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("put in place", path_);
  temporary_.clear();
}

std::size_t replace_changed(std::vector<NewFile*> files) {
  // Every comparison comes before the first rename, so that what can fail fails first.
  std::erase_if(files, [](NewFile* file) { return !file->differs(); });
  check_stopped();
  for (NewFile* file : files) file->replace();
  return files.size();
}

void write_file(const std::string& path, std::string_view text) {
  NewFile file(path, 0600);
  file.write(text);
  static_cast<void>(replace_changed({&file}));
}

}  // namespace crunch
