// SPDX-License-Identifier: ISC
#include "crunch/serve/poller.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "crunch/serve/watcher.hpp"

namespace crunch::serve {
namespace {

constexpr std::size_t files_max = 1'000'000;  // further ones are not looked at

std::int64_t ns_of(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

}  // namespace

Poller::Poller(std::string path, base::Loop& loop, const Options& options,
               std::function<void(const Changed&)> tell)
    : Timer(loop), path_(std::move(path)), loop_(loop), options_(options), tell_(std::move(tell)) {
  const base::Instant begin = loop_.now();
  seen_ = look();
  arm_next(loop_.now() - begin);
}

void Poller::arm_next(base::Duration took) {
  arm(loop_.now() + std::max(options_.every, 10 * took));
}

Poller::Tree Poller::look() const {
  Tree tree;
  std::vector<std::string> todo{path_};
  while (!todo.empty()) {
    const std::string directory = std::move(todo.back());
    todo.pop_back();
    std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
    while (stream != nullptr && tree.size() < files_max) {
      const dirent* next = readdir(stream.get());
      if (next == nullptr) break;
      const std::string name = next->d_name;
      if (name == "." || name == ".." || !is_watched(name, options_.dotfiles)) continue;
      std::string path = directory + '/' + name;
      struct stat meta {};
      if (lstat(path.c_str(), &meta) != 0) continue;
      if (S_ISDIR(meta.st_mode)) {
        todo.push_back(std::move(path));
      } else {
        tree.emplace(std::move(path), Seen{ns_of(meta.st_mtim), ns_of(meta.st_ctim),
                                           static_cast<std::uint64_t>(meta.st_size), meta.st_ino});
      }
    }
  }
  return tree;
}

void Poller::expired() {
  const base::Instant begin = loop_.now();
  Tree now = look();
  Changed changed;
  auto note = [&changed](const std::string& path) { changed.add(path); };
  auto before = seen_.begin();
  for (const auto& [path, seen] : now) {
    for (; before != seen_.end() && before->first < path; ++before) note(before->first);
    const bool was_there = before != seen_.end() && before->first == path;
    if (!was_there || before->second != seen) note(path);
    if (was_there) ++before;
  }
  for (; before != seen_.end(); ++before) note(before->first);
  seen_ = std::move(now);
  arm_next(loop_.now() - begin);
  if (changed.change != Change::none) tell_(changed);
}

std::string why_nothing_is_told(const std::string& path) {
  struct statfs meta {};
  if (statfs(path.c_str(), &meta) != 0) return {};
  struct Kind {
    std::uint32_t magic;
    const char* name;
  };
  constexpr Kind kinds[] = {{0x01021997, "9p"},  {0x6969, "NFS"},      {0xFF534D42, "CIFS"},
                            {0xFE534D42, "SMB"}, {0x65735546, "FUSE"}, {0x786F4256, "VirtualBox's"},
                            {0x517B, "SMB"},     {0x00C36400, "Ceph"}};
  for (const Kind& kind : kinds) {
    if (static_cast<std::uint32_t>(meta.f_type) != kind.magic) continue;
    return std::string("its file system (") + kind.name + ") may not tell of changes";
  }
  return {};
}

}  // namespace crunch::serve
