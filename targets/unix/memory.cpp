// SPDX-License-Identifier: ISC
#include "targets/unix/memory.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/descriptor.hpp"

namespace unix_target {

namespace {

std::optional<std::string> read_file(const std::string& path) {
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return {};
  std::string text;
  std::array<char, 4096> some;
  ssize_t got;
  while ((got = ::read(file.get(), some.data(), some.size())) > 0) {
    text.append(some.data(), static_cast<std::size_t>(got));
  }
  return text;
}

// "max", v1's largest number and what is no number are no limit.
std::uint64_t limit_in(const std::string& path) {
  const std::optional<std::string> text = read_file(path);
  if (!text) return no_limit;
  std::uint64_t bytes = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), bytes);
  return read.ec == std::errc() ? bytes : no_limit;
}

// Of the group `path` below `folder` and of all above it.
std::uint64_t limit_along(const std::string& folder, std::string_view path, const char* file) {
  std::uint64_t least = no_limit;
  for (;;) {
    least = std::min(least, limit_in(folder + std::string(path) + '/' + file));
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return least;
    path = path.substr(0, slash);
  }
}

bool has_word(std::string_view list, std::string_view word) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == word) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

// A line is "number:controllers:path"; v2's has number 0 and no controllers.
std::uint64_t cgroup_memory_limit(std::string_view own_groups, const std::string& mounts) {
  std::uint64_t least = no_limit;
  while (!own_groups.empty()) {
    const std::string_view line = own_groups.substr(0, own_groups.find('\n'));
    own_groups.remove_prefix(std::min(own_groups.size(), line.size() + 1));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string_view path = line.substr(second + 1);
    if (path == "/") path = "";
    if (controllers.empty()) {
      least = std::min(least, limit_along(mounts, path, "memory.max"));
      // Beside v1's, as systemd's hybrid layout has it.
      least = std::min(least, limit_along(mounts + "/unified", path, "memory.max"));
    } else if (has_word(controllers, "memory")) {
      least = std::min(least, limit_along(mounts + "/memory", path, "memory.limit_in_bytes"));
    }
  }
  return least;
}

MemoryLimits memory_limits() {
  MemoryLimits limits;
  if (const auto groups = read_file("/proc/self/cgroup")) {
    limits.hard_bytes = cgroup_memory_limit(*groups, "/sys/fs/cgroup");
  }
  rlimit space{};
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
    limits.hard_bytes = std::min<std::uint64_t>(limits.hard_bytes, space.rlim_cur);
  }
  limits.usual_bytes = limits.hard_bytes;
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0) {
    const auto machine = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
    limits.hard_bytes = std::min(limits.hard_bytes, machine);
    limits.usual_bytes = std::min(limits.usual_bytes, machine / 2);
  }
  return limits;
}

}  // namespace unix_target
