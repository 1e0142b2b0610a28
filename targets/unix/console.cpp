// SPDX-License-Identifier: ISC
#include "targets/unix/console.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "targets/unix/line_queue.hpp"

namespace unix_target {

namespace {

// Other programs that write to the same pipe do not come between these bytes (pipe(7)), and a pipe
// that poll calls writable takes as many at once.
constexpr std::size_t piece_bytes_max = PIPE_BUF;

// A terminal that poll calls writable may have little room, and write(2) waits for the rest.
constexpr std::size_t terminal_piece_bytes_max = 64;

constexpr std::size_t writer_stack_bytes = std::size_t{64} * 1024;

const char* name_of(int fd) { return fd == STDERR_FILENO ? "standard error" : "standard output"; }

bool is_writable(int fd, int within_ms) noexcept {
  pollfd wait{fd, POLLOUT, 0};
  return ::poll(&wait, 1, within_ms) > 0;
}

}  // namespace

// What the console and its thread have in common.
struct Console::Shared {
  Shared(int its_fd, std::shared_ptr<Shared> its_notices)
      : fd(its_fd), notices(std::move(its_notices)) {}

  const int fd;
  const std::shared_ptr<Shared> notices;

  std::mutex mutex;
  std::condition_variable arrived;  // lines, or the end
  std::condition_variable drained;
  LineQueue queue;
  bool has_writer = false;
  bool is_ending = false;
  bool is_over = false;     // nobody waits for the lines any more, nor for what is said of them
  bool is_writing = false;  // a piece is on its way
  char last_byte = '\n';    // that the medium took
  std::uint64_t lost_before = 0;  // lines, beside those that the queue counts
  int refusal = 0;                // errno of the last piece; 0: it was taken

  using Lock = std::unique_lock<std::mutex>;

  void write(std::string_view text) noexcept {
    Lock lock(mutex);
    if (queue.put(text) == LineQueue::Taken::began) say_begin(lock);
    if (has_writer) {
      arrived.notify_one();
    } else {
      while (!queue.is_empty() && is_writable(fd, 0)) write_piece(lock);
    }
  }

  // Says something about the lines. `lock` is let go while another console takes it.
  void say(Lock& lock, std::string_view line) {
    if (is_over) return;
    if (notices == nullptr) {
      queue.put_notice(line);
      return;
    }
    lock.unlock();
    notices->write(line);
    lock.lock();
  }
  void say_begin(Lock& lock) {
    // It could not be written to a medium that fails, either.
    if (notices == nullptr && refusal != 0) return;
    std::array<char, LineQueue::notice_bytes_max / 2> line{};
    std::snprintf(line.data(), line.size(),
                  "warning: %s takes no lines (%s): they are dropped until it does\n", name_of(fd),
                  refusal != 0 ? std::strerror(refusal) : "it is not read, or too slowly");
    say(lock, line.data());
  }
  void say_end(Lock& lock, const char* how) {
    std::array<char, LineQueue::notice_bytes_max / 2> line{};
    std::snprintf(line.data(), line.size(), "warning: %s %s; %llu lines were lost\n", name_of(fd),
                  how, static_cast<unsigned long long>(queue.lost_count()));
    lost_before += queue.lost_count();
    queue.forget_lost();
    say(lock, line.data());
  }

  // Writes one piece. The writer's thread lets `lock` go meanwhile; without that thread only one
  // at a time may believe what poll said.
  void write_piece(Lock& lock) {
    std::array<char, piece_bytes_max> buffer;
    const bool is_small = !has_writer && ::isatty(fd) == 1;
    std::span<char> room(buffer.data(), is_small ? terminal_piece_bytes_max : buffer.size());
    std::string_view rest(buffer.data(), queue.take(room).size());
    std::string_view end_of_line = "\n";
    const bool is_in_line = refusal != 0 && last_byte != '\n';  // one that a failure has cut
    is_writing = true;
    if (has_writer) lock.unlock();
    int error = is_in_line ? write_all(end_of_line) : 0;
    if (error == 0) error = write_all(rest);
    if (!lock.owns_lock()) lock.lock();
    is_writing = false;
    refusal = error;
    if (error != 0) {
      if (queue.was_refused(rest)) say_begin(lock);
    } else if (queue.was_written()) {
      say_end(lock, "takes lines again");
    }
  }

  // 0, or errno; what was written is cut off `rest`.
  int write_all(std::string_view& rest) noexcept {
    while (!rest.empty()) {
      const ssize_t put = ::write(fd, rest.data(), rest.size());
      if (put > 0) {
        last_byte = rest[static_cast<std::size_t>(put) - 1];
        rest.remove_prefix(static_cast<std::size_t>(put));
      } else if (put == 0) {
        return ENOSPC;
      } else if (errno == EAGAIN && has_writer) {
        // Somebody else has made it non-blocking. Polled and refused all the same: not at once.
        if (is_writable(fd, -1)) ::poll(nullptr, 0, 1);
      } else if (errno != EINTR) {
        return errno;
      }
    }
    return 0;
  }

  void run_writer() {
    Lock lock(mutex);
    for (;;) {
      arrived.wait(lock, [this] { return is_ending || !queue.is_empty(); });
      while (!queue.is_empty()) write_piece(lock);
      drained.notify_all();
      if (is_ending) return;
    }
  }

  void finish() {
    Lock lock(mutex);
    is_ending = true;
    const int within_ms = queue.is_dropping() ? finish_dropping_within_ms : finish_within_ms;
    if (has_writer) {
      arrived.notify_one();
      drained.wait_for(lock, std::chrono::milliseconds(within_ms),
                       [this] { return queue.is_empty() && !is_writing; });
    } else {
      while (!queue.is_empty() && is_writable(fd, within_ms)) write_piece(lock);
    }
    queue.give_up();
    if (queue.lost_count() > 0 && notices != nullptr) say_end(lock, "was not read to the end");
    is_over = true;
  }
};

Console::Console(int fd, const Console* notices)
    : shared_(std::make_shared<Shared>(fd, notices != nullptr ? notices->shared_ : nullptr)) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

Console::~Console() { shared_->finish(); }

void Console::write(std::string_view text) noexcept { shared_->write(text); }

std::uint64_t Console::lost_line_count() const noexcept {
  const Shared::Lock lock(shared_->mutex);
  return shared_->lost_before + shared_->queue.lost_count();
}

void Console::write_last(int fd, std::string_view line) noexcept {
  constexpr int within_ms = 100;
  const std::size_t size = std::min(line.size(), piece_bytes_max);
  if (is_writable(fd, within_ms)) static_cast<void>(!::write(fd, line.data(), size));
}

void* Console::run(void* shared) noexcept {
  const std::unique_ptr<std::shared_ptr<Shared>> own(static_cast<std::shared_ptr<Shared>*>(shared));
  (*own)->run_writer();
  return nullptr;
}

void Console::start_writer() {
  auto own = std::make_unique<std::shared_ptr<Shared>>(shared_);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, writer_stack_bytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // Signals are for the threads that have loops.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  {
    const Shared::Lock lock(shared_->mutex);
    if (pthread_create(&thread, &attributes, &Console::run, own.get()) == 0) {
      static_cast<void>(own.release());
      shared_->has_writer = true;
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace unix_target
