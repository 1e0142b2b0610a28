// SPDX-License-Identifier: ISC
#include "crunch/serve/watcher.hpp"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace crunch::serve {

namespace {

// IN_CLOSE_WRITE and not IN_MODIFY: a file that is being written is not worth showing.
constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

constexpr std::size_t gathered_max = 100'000;  // names; beyond: "everything"

// Editors' backups ("page.html~"), and the file by which vim tries a directory out.
bool is_scratch(const std::string& name) { return name.ends_with('~') || name == "4913"; }

bool exists(const std::string& path) {
  struct stat meta {};
  return lstat(path.c_str(), &meta) == 0;
}

std::vector<std::string> directories_in(const std::string& path) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(path.c_str()), closedir);
  while (stream != nullptr) {
    const dirent* next = readdir(stream.get());
    if (next == nullptr) break;
    std::string name = next->d_name;
    if (name == "." || name == "..") continue;
    struct stat meta {};
    bool is_directory = next->d_type == DT_DIR;
    if (next->d_type == DT_UNKNOWN) {
      is_directory = lstat((path + '/' + name).c_str(), &meta) == 0 && S_ISDIR(meta.st_mode);
    }
    if (is_directory) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

Watcher::Watcher(std::string path, base::Loop& loop, base::Descriptors& descriptors, base::Log& log,
                 const Options& options, std::function<void(const Changed&)> tell)
    : path_(std::move(path)),
      loop_(loop),
      descriptors_(descriptors),
      log_(log),
      options_(options),
      tell_(std::move(tell)),
      fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      gathered_(loop, *this, &Watcher::tell_gathered),
      look_(loop, *this, &Watcher::look_at_root) {
  if (fd_ < 0) {
    log_.warning({"pages will not reload by themselves: inotify: ", std::strerror(errno),
                  "; sysctl fs.inotify.max_user_instances says how many programs may use it"});
    return;
  }
  if (!descriptors_.watch(fd_, *this)) {
    log_.warning({"pages will not reload by themselves: the kernel watches no more descriptors"});
    close(std::exchange(fd_, -1));
    return;
  }
  watch_all();
  look_.arm(loop_.now() + options_.look_every);
}

Watcher::~Watcher() {
  if (fd_ < 0) return;
  descriptors_.forget(fd_, *this);
  close(fd_);
}

void Watcher::run() {
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  while (true) {
    ssize_t size = read(fd_, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      take(event.wd, event.mask, event.len > 0 ? name : "");
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
  readable = false;
}

void Watcher::take(int watch, std::uint32_t mask, const std::string& name) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    watch_anew();
    return;
  }
  if ((mask & IN_IGNORED) != 0) {
    paths_.erase(watch);
    return;
  }
  auto at = paths_.find(watch);
  if (at == paths_.end()) return;
  const std::string directory = at->second;
  if (name.empty()) {
    // About the directory itself; whoever holds it hears of that, too, unless it is the root.
    if (directory == path_ && (mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) watch_anew();
    return;
  }
  if (!is_watched(name, options_.dotfiles) || is_scratch(name)) return;
  const std::string path = directory + '/' + name;
  const bool came = (mask & (IN_CREATE | IN_MOVED_TO)) != 0;
  if ((mask & IN_ISDIR) != 0) {
    if (came) {
      forget_below(path);
      watch_below(path);
    } else if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
      forget_below(path);
    }
  }
  gather(path, came);
}

void Watcher::gather(std::string path, bool came) {
  if (!gathered_.is_armed()) gathering_since_ = loop_.now();
  gathered_.arm(std::min(loop_.now() + options_.quiet, gathering_since_ + options_.gather_max));
  if (all_changed_) return;
  if (changed_.size() >= gathered_max) {
    all_changed_ = true;
    return;
  }
  if (came && !changed_.contains(path)) came_.insert(path);
  changed_.insert(std::move(path));
}

void Watcher::tell_gathered() {
  Changed changed;
  for (const std::string& path : changed_) {
    if (!came_.contains(path) || exists(path)) changed.add(path);
  }
  if (all_changed_) changed.change = Change::page;
  changed_.clear();
  came_.clear();
  all_changed_ = false;
  if (changed.change != Change::none) tell_(changed);
}

// Is what has the path now what is watched?
void Watcher::look_at_root() {
  look_.arm(loop_.now() + options_.look_every);
  struct stat meta {};
  if (stat(path_.c_str(), &meta) != 0 || !S_ISDIR(meta.st_mode)) meta = {};
  if (meta.st_dev == root_device_ && meta.st_ino == root_inode_) return;
  watch_anew();
}

void Watcher::watch_anew() {
  watch_all();
  all_changed_ = true;
  gather({}, false);
}

void Watcher::watch_all() {
  for (const auto& [watch, path] : paths_) inotify_rm_watch(fd_, watch);
  paths_.clear();
  struct stat meta {};
  if (stat(path_.c_str(), &meta) != 0 || !S_ISDIR(meta.st_mode)) meta = {};
  root_device_ = meta.st_dev;
  root_inode_ = meta.st_ino;
  if (root_inode_ != 0) watch_below(path_);
}

// Each directory is watched before it is listed: what comes meanwhile is listed, told, or both.
void Watcher::watch_below(const std::string& top) {
  std::vector<std::string> todo{top};
  while (!todo.empty()) {
    std::string path = std::move(todo.back());
    todo.pop_back();
    if (!add_watch(path)) continue;
    for (const std::string& name : directories_in(path)) {
      if (is_watched(name, options_.dotfiles)) todo.push_back(path + '/' + name);
    }
  }
}

bool Watcher::add_watch(const std::string& path) {
  if (paths_.size() >= options_.watches_max) {
    warn_of_limit(path, ENOSPC);
    return false;
  }
  std::uint32_t no_link = path == path_ ? 0 : IN_DONT_FOLLOW;  // the root may be one
  int watch = inotify_add_watch(fd_, path.c_str(), events | IN_ONLYDIR | no_link);
  if (watch >= 0) {
    paths_[watch] = path;
    return true;
  }
  // It may have gone, or not be ours to read: then the site does not show it either.
  if (errno == ENOSPC || errno == ENOMEM) warn_of_limit(path, errno);
  return false;
}

void Watcher::forget_below(const std::string& top) {
  const std::string prefix = top + '/';
  std::erase_if(paths_, [&](const auto& entry) {
    if (entry.second != top && !entry.second.starts_with(prefix)) return false;
    inotify_rm_watch(fd_, entry.first);
    return true;
  });
}

void Watcher::warn_of_limit(const std::string& path, int why) {
  if (warned_) return;
  warned_ = true;
  log_.warning({"changes in ", path, " and perhaps other directories will not be noticed: ",
                why == ENOSPC ? "no more can be watched; as root, sysctl "
                                "fs.inotify.max_user_watches=1048576 allows more"
                              : std::strerror(why)});
}

}  // namespace crunch::serve
