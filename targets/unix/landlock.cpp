// SPDX-License-Identifier: ISC
#include "targets/unix/landlock.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/descriptor.hpp"

namespace unix_target {

namespace {

using base::Descriptor;

// Newer than Debian 12's headers: since version 3.
constexpr std::uint64_t truncate_file = std::uint64_t{1} << 14U;

constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

// What a directory vault does (kv/directory/writable.cpp): it makes a file anew beside the old one,
// renames it within its folder, and makes and removes folders.
constexpr std::uint64_t changing = reading | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;

// All that version 1 knows, from the first bit to the last.
constexpr std::uint64_t all_of_version_1 = (std::uint64_t{LANDLOCK_ACCESS_FS_MAKE_SYM} << 1U) - 1;

std::uint64_t handled_by(long version) {
  std::uint64_t handled = all_of_version_1;
  if (version >= 2) handled |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) handled |= truncate_file;
  return handled;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Where a path leads to, without a link on the way; "" where nothing is.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> text(::realpath(path.c_str(), nullptr), std::free);
  return text ? text.get() : "";
}

bool is_link(const std::string& path) {
  struct stat meta {};
  return ::lstat(path.c_str(), &meta) == 0 && S_ISLNK(meta.st_mode);
}

bool is_folder(const std::string& path) {
  struct stat meta {};
  return ::stat(path.c_str(), &meta) == 0 && S_ISDIR(meta.st_mode);
}

bool allow_beneath(int ruleset, const std::string& folder, std::uint64_t access) {
  const Descriptor parent(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent) return false;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = parent.get();
  return ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

void allow_changes(int ruleset, const std::string& folder, base::Log& log) {
  const std::string real = resolved(folder);
  if (real == "/") {
    log.warning({"sandbox: ", folder, " is the root folder, beneath which nothing can be changed"});
  } else if (allow_beneath(ruleset, real, changing)) {
    log.debug({"sandbox: files beneath ", folder, " can be changed"});
  } else {
    log.warning({"sandbox: ", folder, " cannot be changed: ", std::strerror(errno)});
  }
}

// Whoever this process is by now: it may have opened the folder as another user.
void warn_of_missing_rights(const std::string& folder, base::Log& log) {
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) == 0 || errno != EACCES) return;
  log.warning({folder, " cannot be changed by user ", std::to_string(::geteuid()),
               ": it must belong to the user of this process, and be writable"});
}

}  // namespace

std::vector<std::string> folders_to_read(const std::string& path) {
  std::vector<std::string> folders;
  const auto add = [&folders](const std::string& folder) {
    const std::string real = resolved(folder);
    if (real.empty() || real == "/" || std::ranges::find(folders, real) != folders.end()) return;
    folders.push_back(real);
  };
  if (is_folder(path)) {
    add(path);
  } else {
    add(folder_of(path));
    const std::string file = resolved(path);
    if (!file.empty()) add(folder_of(file));
  }
  // Each link on the way may lead elsewhere next time: as a rule, to its neighbour.
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (is_link(part)) add(folder_of(part));
    if (end == std::string::npos) return folders;
  }
}

void restrict_files(std::span<const std::string> read_again,
                    std::span<const std::string> change_beneath, base::Log& log) {
  for (const std::string& folder : change_beneath) warn_of_missing_rights(folder, log);
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) {
    log.debug({"sandbox: this kernel has no Landlock (", std::strerror(errno), ")"});
    return;
  }
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = handled_by(version);
  const Descriptor ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!ruleset) {
    log.debug({"sandbox: Landlock refuses its rules: ", std::strerror(errno)});
    return;
  }
  for (const std::string& path : read_again) {
    for (const std::string& folder : folders_to_read(path)) {
      if (allow_beneath(ruleset.get(), folder, reading)) {
        log.debug({"sandbox: files beneath ", folder, " can be read again"});
      } else {
        log.warning({"sandbox: ", folder, " cannot be read again: ", std::strerror(errno)});
      }
    }
  }
  for (const std::string& folder : change_beneath) allow_changes(ruleset.get(), folder, log);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    log.debug({"sandbox: Landlock is refused: ", std::strerror(errno)});
  }
}

}  // namespace unix_target
