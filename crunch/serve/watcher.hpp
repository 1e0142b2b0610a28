// SPDX-License-Identifier: ISC
// crunch/serve/watcher.hpp: notices that something below a directory has changed.
//
// Owns:    an inotify descriptor and a watch for each directory that the preview shows.
// Gathers: changes until nothing came for `quiet`, at most for `gather_max`; then tells once. A
//          file that came and went in between (an editor's, a generator's) was no change.
// Survives: directories that come, go and are renamed; the whole tree deleted and made anew, or its
//          link pointed elsewhere (its path is looked at every `look_every`); a full event queue
//          (everything is watched anew). At the kernel's limit of watches it warns once, with what
//          to do, and goes on with those it has.
// Source:  inotify(7).

#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>

#include "base/descriptors.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "crunch/serve/changes.hpp"

namespace crunch::serve {

// Whether the preview shows files of this name.
[[nodiscard]] inline bool is_watched(const std::string& name, bool dotfiles) {
  return dotfiles || !name.starts_with('.') || name == ".well-known";
}

class Watcher final : private base::Watch {
 public:
  struct Options {
    bool dotfiles = false;
    std::size_t watches_max = 1'000'000;
    base::Duration quiet = std::chrono::milliseconds(100);
    base::Duration gather_max = std::chrono::seconds(1);
    base::Duration look_every = std::chrono::milliseconds(500);
  };

  // `tell` is called from the loop. Without inotify the log says so and nothing is told.
  Watcher(std::string path, base::Loop& loop, base::Descriptors& descriptors, base::Log& log,
          const Options& options, std::function<void(const Changed&)> tell);
  ~Watcher();

  [[nodiscard]] std::size_t watch_count() const noexcept { return paths_.size(); }
  // Whether it can notice anything.
  [[nodiscard]] bool is_watching() const noexcept { return fd_ >= 0; }

 private:
  class Alarm final : public base::Timer {
   public:
    Alarm(base::Loop& loop, Watcher& watcher, void (Watcher::*then)())
        : Timer(loop), watcher_(watcher), then_(then) {}
    void expired() override { (watcher_.*then_)(); }

   private:
    Watcher& watcher_;
    void (Watcher::*then_)();
  };

  void run() override;
  void take(int watch, std::uint32_t mask, const std::string& name);
  void gather(std::string path, bool came);
  void tell_gathered();
  void look_at_root();
  void watch_anew();
  void watch_all();
  void watch_below(const std::string& path);
  [[nodiscard]] bool add_watch(const std::string& path);
  void forget_below(const std::string& path);
  void warn_of_limit(const std::string& path, int why);

  const std::string path_;
  base::Loop& loop_;
  base::Descriptors& descriptors_;
  base::Log& log_;
  const Options options_;
  const std::function<void(const Changed&)> tell_;
  int fd_ = -1;
  std::unordered_map<int, std::string> paths_;  // of each watch
  std::set<std::string> changed_;               // since the last telling
  std::set<std::string> came_;                  // those of them that were not there before
  bool all_changed_ = false;
  bool warned_ = false;
  base::Instant gathering_since_{};
  dev_t root_device_ = 0;  // of the root that is watched; 0 and 0: it is missing
  ino_t root_inode_ = 0;
  Alarm gathered_;
  Alarm look_;
};

}  // namespace crunch::serve
