// SPDX-License-Identifier: ISC
// targets/unix/console.hpp: standard output or standard error, written without making anybody wait.
//
// Models:  base::Console.   Owns: lines that wait (targets/unix/line_queue.hpp) and, from
//          start_writer() on, a thread that writes them; the descriptor stays open.
// States:  before start_writer(), and where no thread can be had, write() itself writes as much as
//          poll(2) says that the medium takes; afterwards the thread does, and may block in
//          write(2) as long as it likes: a pipe that is not read, a stopped terminal, a slow disk.
// Losses:  what does not fit is dropped and counted. One notice says when that begins, one how many
//          lines were lost when it ends. A full disk and a closed pipe count as media that take
//          nothing; each new piece tries them again.
// Rule:    O_NONBLOCK is never set: the descriptor is shared with the parent of this process.

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/console.hpp"

namespace unix_target {

class Console final : public base::Console {
 public:
  // `fd`: 1 or 2, as a rule. Notices go to `notices`, or among the lines if it is null. From now
  // on this process ignores SIGPIPE and SIGXFSZ: a reader of the log that has gone, or a file at
  // its limit, must not end a server.
  explicit Console(int fd, const Console* notices = nullptr);
  // Waits at most finish_within_ms until what was taken is written; less for a medium that takes
  // nothing already.
  ~Console() override;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // From now on a thread writes. Call it once, after what the thread shall inherit is set up (user,
  // capabilities, Landlock). Without a thread to be had, everything stays as it was.
  void start_writer();

  // Takes whole lines, all or none of them; never waits. From any thread.
  void write(std::string_view text) noexcept override;

  // From any thread.
  [[nodiscard]] std::uint64_t lost_line_count() const noexcept;

  static constexpr int finish_within_ms = 1000;
  static constexpr int finish_dropping_within_ms = 100;

  // For the end of a process: writes `line` past all consoles if the medium has room for it within
  // a tenth of a second, and otherwise drops it.
  static void write_last(int fd, std::string_view line) noexcept;

 private:
  struct Shared;
  static void* run(void* shared) noexcept;

  // The thread's, too, which may outlive this in a write(2) that does not return.
  std::shared_ptr<Shared> shared_;
};

}  // namespace unix_target
