// SPDX-License-Identifier: ISC
#include "crunch/temporary.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <random>

namespace crunch {
namespace {

constexpr std::string_view temporary_prefix = ".crunch-";

}  // namespace

bool is_temporary_name(std::string_view name) {
  if (!name.starts_with(temporary_prefix)) return false;
  name.remove_prefix(temporary_prefix.size());
  const std::size_t digits = name.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string_view::npos && name[digits] == '-';
}

void remove_abandoned(const std::string& directory) {
  DIR* entries = ::opendir(directory.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    if (!is_temporary_name(entry->d_name)) continue;
    const std::string path = directory + "/" + entry->d_name;
    std::string locked = path;
    struct stat meta {};
    if (::lstat(path.c_str(), &meta) == 0 && S_ISDIR(meta.st_mode)) locked += lock_name;
    const base::Descriptor left(
        ::open(locked.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    // A folder without a lock file is being made: its maker will notice, and make another.
    if (!left && errno != ENOENT) continue;
    if (left && ::flock(left.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code ignored;  // it may belong to another user
    std::filesystem::remove_all(path, ignored);
  }
  ::closedir(entries);
}

std::string temporary_name() {
  std::random_device chance;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x%08x", chance(), chance());
  return std::string(temporary_prefix) + std::to_string(::getpid()) + "-" + digits.data();
}

bool lock_temporary(const base::Descriptor& file, const std::string& path) {
  // Waits while another process looks at it. On file systems without locks, this fails, and
  // nothing is taken for abandoned either.
  while (::flock(file.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  struct stat ours {};
  struct stat there {};
  return ::fstat(file.get(), &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

}  // namespace crunch
