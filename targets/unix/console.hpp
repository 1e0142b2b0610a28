// SPDX-License-Identifier: ISC
// targets/unix/console.hpp: standard output or standard error.
//
// Models:  base::Console.   Owns: nothing; the descriptor stays open.

#pragma once

#include "base/console.hpp"

namespace unix_target {

class Console final : public base::Console {
 public:
  // `fd`: 1 or 2, as a rule. From now on this process ignores SIGPIPE: a reader of the log that
  // has gone must not end a server.
  explicit Console(int fd) noexcept;
  // One write(2) as long as the medium takes all of it, so that lines of several threads do not
  // mix. A medium that fails (closed pipe, full disk) loses the text.
  void write(std::string_view text) noexcept override;

 private:
  int fd_;
};

}  // namespace unix_target
