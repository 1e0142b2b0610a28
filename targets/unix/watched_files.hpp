// SPDX-License-Identifier: ISC
// targets/unix/watched_files.hpp: notices that files were replaced or rewritten.
//
// States:   WatchedFiles.   Used by: targets/unix/platform.cpp.
// Method:   inotify on the folders that a change can happen in (landlock.hpp's folders_to_read: so
//           certbot's links and Kubernetes' ..data are followed). Once nothing has happened there
//           for a moment, the files are looked at, and the folders are found anew. What counts is
//           which file each path leads to, its size and its times. Without inotify, and beside it
//           for what a network's file system does not tell, they are looked at now and then.
// Owns:     the inotify descriptor; it is opened before the process is sealed.
// Source:   inotify(7).

#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "base/descriptors.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"

namespace unix_target {

struct WatchedFilesTimes {
  base::Duration quiet = std::chrono::milliseconds(300);  // after the last event
  base::Duration busy_max = std::chrono::seconds(3);      // after the first, whatever follows
  base::Duration look_every = std::chrono::seconds(60);   // where inotify works
  base::Duration poll_every = std::chrono::seconds(10);   // where it does not
};

class WatchedFiles final : private base::Timer, private base::Watch {
 public:
  // `changed` is called on the loop, once for what happened together. All outlive it.
  WatchedFiles(base::Loop& loop, base::Descriptors& descriptors, base::Log& log,
               std::vector<std::string> paths, std::function<void()> changed,
               const WatchedFilesTimes& times = {});
  ~WatchedFiles();
  WatchedFiles(const WatchedFiles&) = delete;
  WatchedFiles& operator=(const WatchedFiles&) = delete;

  // Somebody has read the files just now for another reason.
  void take_note() { seen_ = seen_now(); }
  // inotify tells of changes.
  [[nodiscard]] bool is_told() const noexcept { return static_cast<bool>(inotify_); }

 private:
  // What there is at a path.
  struct Seen {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size_bytes = -1;  // -1: nothing
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;  // also its rights
    bool operator==(const Seen&) const = default;
  };

  void run() override;
  void expired() override;
  void look();
  void watch_folders();
  [[nodiscard]] std::vector<Seen> seen_now() const;
  [[nodiscard]] bool take_events() noexcept;

  base::Loop& loop_;
  base::Descriptors& descriptors_;
  base::Log& log_;
  std::vector<std::string> paths_;
  std::function<void()> changed_;
  WatchedFilesTimes times_;
  base::Descriptor inotify_;
  std::vector<int> watched_;  // inotify's numbers of folders
  std::vector<Seen> seen_;
  base::Instant busy_since_ = base::never;
};

}  // namespace unix_target
