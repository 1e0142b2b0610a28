// SPDX-License-Identifier: ISC
// crunch/serve/changes.hpp: which files changed since a page was made, and waiting for that.
//
// States:  Version, Change, Changes.   Used by: live_reload (asks and waits), watcher (tells).
// Version: the run of the preview in its upper half, a random number, and the changes of that run
//          in its lower half: a page of an earlier run is seen to be old.

#pragma once

#include <coroutine>
#include <cstdint>
#include <string>

#include "base/loop.hpp"

namespace crunch::serve {

using Version = std::uint64_t;

enum class Change : std::uint8_t {
  none,
  styles,  // style sheets only: a page can take them over where it stands
  page,    // anything else
};

// Of an edit: its kind, how many files, and the first of them by its path.
struct Changed {
  Change change = Change::none;
  std::string path;
  std::size_t count = 0;

  void add(const std::string& changed_path) {
    const Change kind = changed_path.ends_with(".css") ? Change::styles : Change::page;
    change = kind > change ? kind : change;
    if (count++ == 0) path = changed_path;
  }
};

class Changes {
 public:
  Changes(base::Loop& loop, std::uint32_t run) noexcept
      : loop_(loop), current_(Version{run} << 32U), last_page_(current_) {}
  ~Changes() { stop(); }
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  // What is wrong with the site's rules, for the page to show; empty: nothing.
  std::string findings;

  [[nodiscard]] Version current() const noexcept { return current_; }
  [[nodiscard]] Change since(Version version) const noexcept {
    bool is_of_this_run = version >> 32U == current_ >> 32U && version <= current_;
    if (!is_of_this_run || version < last_page_) return Change::page;
    return version < current_ ? Change::styles : Change::none;
  }

  // Something has changed: wakes all who wait.
  void note(Change change) noexcept;
  // From now on no call waits: the preview ends.
  void stop() noexcept;

  // `co_await changes.after(version, within)`: resumes, from the loop, when something has changed
  // since `version`, at the latest `within` later or when stopped.
  class Wait;
  [[nodiscard]] Wait after(Version version, base::Duration within) noexcept;
  [[nodiscard]] std::size_t waiting_count() const noexcept { return waiting_count_; }

 private:
  void wake_all() noexcept;

  base::Loop& loop_;
  Version current_;
  Version last_page_;  // when something other than a style sheet last changed
  bool stopped_ = false;
  Wait* waits_ = nullptr;  // a list; each unlinks itself
  std::size_t waiting_count_ = 0;
};

class [[nodiscard]] Changes::Wait final : private base::Timer {
 public:
  Wait(Changes& changes, Version version, base::Duration within) noexcept
      : Timer(changes.loop_), changes_(changes), version_(version), within_(within) {}
  ~Wait() { unlink(); }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  [[nodiscard]] bool await_ready() const noexcept {
    return changes_.stopped_ || changes_.since(version_) != Change::none;
  }
  void await_suspend(std::coroutine_handle<> waiting);
  void await_resume() const noexcept {}

 private:
  friend class Changes;
  void expired() override { wake(); }
  void wake() noexcept;
  void unlink() noexcept;

  Changes& changes_;
  const Version version_;
  const base::Duration within_;
  base::Resumption resumption_;
  bool linked_ = false;
  Wait* before_ = nullptr;
  Wait* after_ = nullptr;
};

inline Changes::Wait Changes::after(Version version, base::Duration within) noexcept {
  return {*this, version, within};
}

}  // namespace crunch::serve
