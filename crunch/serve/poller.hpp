// SPDX-License-Identifier: ISC
// crunch/serve/poller.hpp: notices changes below a directory by polling, where inotify fails
// (file systems of other machines: WSL2's drives, mounts of Docker Desktop, NFS).
//
// Looks:   at every name, size and time below the directory; again after `every`, or ten times as
//          long as a look took, so that it never takes more than a tenth of a processor.
// Tells:   once for all that changed between two looks.

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "base/loop.hpp"
#include "crunch/serve/changes.hpp"

namespace crunch::serve {

class Poller final : private base::Timer {
 public:
  struct Options {
    bool dotfiles = false;
    base::Duration every = std::chrono::seconds(1);
  };

  // `tell` is called from the loop.
  Poller(std::string path, base::Loop& loop, const Options& options,
         std::function<void(const Changed&)> tell);

 private:
  struct Seen {
    std::int64_t modified_ns = 0, changed_ns = 0;
    std::uint64_t size_bytes = 0, inode = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  using Tree = std::map<std::string, Seen>;

  void expired() override;
  void arm_next(base::Duration took);
  [[nodiscard]] Tree look() const;

  const std::string path_;
  base::Loop& loop_;
  const Options options_;
  const std::function<void(const Changed&)> tell_;
  Tree seen_;
};

// Why the directory's file system does not report changes, as a sentence; empty: it does.
[[nodiscard]] std::string why_nothing_is_told(const std::string& path);

}  // namespace crunch::serve
