// SPDX-License-Identifier: ISC
#include "targets/unix/watched_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "targets/unix/landlock.hpp"

namespace unix_target {
namespace {

constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM |
                                 IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

std::int64_t ns_of(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

WatchedFiles::WatchedFiles(base::Loop& loop, base::Descriptors& descriptors, base::Log& log,
                           std::vector<std::string> paths, std::function<void()> changed,
                           const WatchedFilesTimes& times)
    : Timer(loop),
      loop_(loop),
      descriptors_(descriptors),
      log_(log),
      paths_(std::move(paths)),
      changed_(std::move(changed)),
      times_(times),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (inotify_ && !descriptors_.watch(inotify_.get(), *this)) inotify_ = {};
  if (!inotify_) {
    log_.debug(
        {"files are looked at every 10 s, as inotify cannot be had: ", std::strerror(errno)});
  }
  watch_folders();
  seen_ = seen_now();
  arm(loop_.now() + (is_told() ? times_.look_every : times_.poll_every));
}

WatchedFiles::~WatchedFiles() {
  if (inotify_) descriptors_.forget(inotify_.get(), *this);
}

// Whether there were any. What they say does not matter: the files are looked at.
bool WatchedFiles::take_events() noexcept {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) any = true;
  readable = false;
  return any;
}

void WatchedFiles::run() {
  if (!take_events()) return;
  if (busy_since_ == base::never) busy_since_ = loop_.now();
  arm(std::min(loop_.now() + times_.quiet, busy_since_ + times_.busy_max));
}

void WatchedFiles::expired() {
  busy_since_ = base::never;
  arm(loop_.now() + (is_told() ? times_.look_every : times_.poll_every));
  try {
    look();
  } catch (const std::bad_alloc&) {
    // The next look finds it.
  }
}

void WatchedFiles::look() {
  watch_folders();  // first: what happens from now on is told
  std::vector<Seen> now = seen_now();
  if (now == seen_) return;
  seen_ = std::move(now);
  changed_();
}

// Those of before stay the same; the kernel gives a folder that it watches the same number.
void WatchedFiles::watch_folders() {
  if (!inotify_) return;
  std::vector<int> watched;
  for (const std::string& path : paths_) {
    for (const std::string& folder : folders_to_read(path)) {
      const int number = ::inotify_add_watch(inotify_.get(), folder.c_str(), events);
      if (number >= 0 && std::ranges::find(watched, number) == watched.end()) {
        watched.push_back(number);
      }
    }
  }
  if (watched.empty()) return;  // nothing is there now: what led here may lead back
  for (const int number : watched_) {
    if (std::ranges::find(watched, number) == watched.end()) {
      static_cast<void>(::inotify_rm_watch(inotify_.get(), number));
    }
  }
  watched_ = std::move(watched);
}

std::vector<WatchedFiles::Seen> WatchedFiles::seen_now() const {
  std::vector<Seen> seen(paths_.size());
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    struct stat meta {};
    if (::stat(paths_[i].c_str(), &meta) != 0) continue;
    seen[i] = {meta.st_dev, meta.st_ino, meta.st_size, ns_of(meta.st_mtim), ns_of(meta.st_ctim)};
  }
  return seen;
}

}  // namespace unix_target
