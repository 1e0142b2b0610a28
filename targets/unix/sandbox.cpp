// SPDX-License-Identifier: ISC
#include "targets/unix/sandbox.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "targets/unix/filter.hpp"
#include "targets/unix/landlock.hpp"

namespace unix_target {

namespace {

// Which unlisted calls were logged. What a signal handler may touch: lock-free atomics.
constexpr std::size_t calls_max = 1024;
std::array<std::atomic<bool>, calls_max> has_logged{};

// A part of a line, by a function that a signal handler may call.
class Line {
 public:
  void add(std::string_view text) noexcept {
    for (const char c : text) {
      if (size_ < text_.size()) text_[size_++] = c;
    }
  }
  void add(unsigned number) noexcept {
    std::array<char, 10> digits;
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count > 0) add({&digits[--count], 1});
  }
  // Straight to standard error: what waits in the queue of the log may never be written.
  void write() const noexcept {
    constexpr int within_ms = 100;
    pollfd wait{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&wait, 1, within_ms) <= 0) return;
    [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, text_.data(), size_);
  }

 private:
  std::array<char, 200> text_{};
  std::size_t size_ = 0;
};

void on_refusal(int, siginfo_t* info, void* context) {
  const int before = errno;
  const auto call = static_cast<unsigned>(info->si_syscall);
  Line line;
  if (info->si_errno == static_cast<int>(Refusal::forbidden)) {
    line.add("error: system call ");
    line.add(call);
    line.add(" is forbidden: nothing that serves a site makes it; this process ends\n");
    line.write();
    // A forbidden call while SIGSYS is blocked, as it is here: the kernel ends the process.
    ::syscall(SYS_execve, nullptr, nullptr, nullptr);
    ::_exit(128 + SIGSYS);
  }
  if (call >= calls_max || !has_logged[call].exchange(true)) {
    line.add("warning: system call ");
    line.add(call);
    line.add(" fails: no part of this image declares it (--sandbox=false lets it through)\n");
    line.write();
  }
  auto* const registers = static_cast<ucontext_t*>(context);
  registers->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
  errno = before;
}

void filter_calls(const Sandbox& sandbox, base::Log& log) {
  struct sigaction action {};
  action.sa_sigaction = on_refusal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGSYS, &action, nullptr);
  std::vector<sock_filter> code =
      filter_of(sandbox.system_calls, ::getpid(), !sandbox.change_beneath.empty());
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  const long answer =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  if (answer != 0) {
    log.debug({"sandbox: this kernel does not filter system calls: ",
               answer > 0 ? "a thread has another filter" : std::strerror(errno)});
  }
}

}  // namespace

void seal(const Sandbox& sandbox, base::Log& log, const std::function<void()>& start_threads) {
  if (sandbox.user) become(*sandbox.user);
  if (!sandbox.is_on) {
    start_threads();
    return;
  }
  keep_only_reading();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    log.debug({"sandbox: this kernel has no no_new_privs: ", std::strerror(errno)});
  }
  restrict_files(sandbox.read_again, sandbox.change_beneath, log);
  start_threads();
  filter_calls(sandbox, log);
}

}  // namespace unix_target
