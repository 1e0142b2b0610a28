// SPDX-License-Identifier: ISC
#include "targets/unix/platform.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/panic.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/entropy.hpp"
#include "targets/unix/epoll.hpp"
#include "targets/unix/limits.hpp"
#include "targets/unix/memory.hpp"
#include "targets/unix/reload_signal.hpp"
#include "targets/unix/sandbox.hpp"
#include "targets/unix/stop_signals.hpp"
#include "targets/unix/wake.hpp"
#include "targets/unix/watched_files.hpp"

namespace unix_target {

namespace {

// What the threads share.
struct Consoles {
  Console standard_error{STDERR_FILENO};
  Console standard_output{STDOUT_FILENO, &standard_error};

  void start_writers() {
    standard_error.start_writer();
    standard_output.start_writer();
  }
};

// The consoles of the process, while it runs.
std::atomic<const Consoles*> consoles_now{nullptr};

// Where exceptions are told that leave a task: a loop's on_exception knows no object.
std::atomic<base::Console*> exceptions_to{nullptr};

void tell_exception(std::string_view what) noexcept {
  base::Console* const console = exceptions_to.load();
  if (console != nullptr) base::Log(*console).error({"a task ended by an exception: ", what});
}

// Everything that a thread owns, in the order in which it is built.
struct Thread {
  Thread(Consoles& consoles, Service& service, std::span<char* const> arguments,
         const StartOptions& options, unsigned index, std::uint64_t memory_bytes)
      : log(consoles.standard_error, options.log_level),
        epoll(clock),
        loop(clock, epoll),
        platform{loop,
                 clock,
                 entropy,
                 epoll,
                 consoles.standard_output,
                 log,
                 arguments,
                 index,
                 options.threads,
                 memory_bytes,
                 service,
                 [] {},
                 {},
                 {},
                 [this] { called.signal(); },
                 {},
                 {},
                 {},
                 {},
                 {},
                 {}},
        stop(epoll, [this] { ask_to_stop(); }),
        reload(epoll, [this] { read_again(); }),
        called(epoll, [this] { answer_call(); }) {
    epoll.serve(loop);
    loop.on_exception = tell_exception;
  }

  void ask_to_stop() {
    std::function<void()> once = std::exchange(platform.on_stop, [] {});
    once ? once() : loop.stop();
  }
  void read_again() {
    if (platform.on_reload) platform.on_reload();
  }
  void answer_call() {
    if (platform.on_call) platform.on_call();
  }

  base::Log log;
  Clock clock;
  Entropy entropy;
  Epoll epoll;
  base::Loop loop;
  Platform platform;
  Wake stop;  // signalled from other threads and from signal handlers
  Wake reload;
  Wake called;
  int status = 0;
};

// Tells the process's manager, as often as that wants, that the first loop turns.
class Watchdog final : private base::Timer {
 public:
  Watchdog(base::Loop& loop, const Service& service) noexcept
      : Timer(loop), loop_(loop), service_(service) {}
  void start() noexcept {
    if (const auto interval = service_.watchdog_interval()) arm(loop_.now() + *interval);
  }

 private:
  void expired() override {
    service_.tell("WATCHDOG=1");
    start();
  }
  base::Loop& loop_;
  const Service& service_;
};

// A CPU that this process may not use, or a kernel that refuses, leaves the thread unpinned.
void pin_to_nth_cpu(unsigned n) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  unsigned seen = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || seen++ != n) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    return;
  }
}

void run_thread(Thread& thread, const std::function<int(Platform&)>& run) {
  try {
    thread.status = run(thread.platform);
  } catch (const std::exception& error) {
    thread.log.error({error.what()});
    thread.status = 1;
  }
  thread.platform.on_stop = {};  // what these refer to has gone with `run`
  thread.platform.on_reload = {};
  thread.platform.on_call = {};
  thread.platform.on_files_changed = {};
}

// More than can be had is lowered; a default is it without a word.
std::uint64_t usable_memory(const StartOptions& options, base::Console& console) {
  const MemoryLimits limits = memory_limits();
  if (options.memory_bytes == 0) return limits.usual_bytes;
  if (options.memory_bytes > limits.hard_bytes) {
    base::Log(console, options.log_level)
        .warning({"--memory is more than this process may have: ",
                  std::to_string(limits.hard_bytes), " bytes are used"});
  }
  return std::min(options.memory_bytes, limits.hard_bytes);
}

// 0: none.
int first_failure_of(const std::vector<std::unique_ptr<Thread>>& threads) {
  for (const auto& thread : threads) {
    if (thread->status != 0) return thread->status;
  }
  return 0;
}

using Threads = std::vector<std::unique_ptr<Thread>>;

// On SIGHUP: the first thread, then the others.
void read_again(const Threads& threads, std::optional<WatchedFiles>& watched_files) {
  Thread& first = *threads.front();
  if (!first.platform.on_reload) {
    first.log.info({"SIGHUP: no file is read again, as none was named at the start (--cert)"});
    return;
  }
  if (watched_files) watched_files->take_note();
  first.read_again();
  for (const auto& thread : std::span(threads).subspan(1)) thread->reload.signal();
}

void watch_files(Thread& first, std::optional<WatchedFiles>& watched_files) {
  Platform& platform = first.platform;
  if (platform.watched.empty()) return;
  watched_files.emplace(first.loop, first.epoll, first.log, platform.watched, [&platform] {
    if (platform.on_files_changed) platform.on_files_changed();
  });
}

int run_all(int argc, char** argv, const StartOptions& options,
            const std::function<int(Platform&)>& run) {
  Consoles consoles;
  exceptions_to = &consoles.standard_error;
  consoles_now = &consoles;
  base::tell_panic = [](std::string_view line) noexcept {
    Console::write_last(STDERR_FILENO, line);
  };
  Service service(std::getenv);
  std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
  if (argc > 0) arguments = arguments.subspan(1);
  Threads threads;
  const std::uint64_t memory_bytes = usable_memory(options, consoles.standard_error);
  for (unsigned i = 0; i < options.threads; ++i) {
    threads.push_back(
        std::make_unique<Thread>(consoles, service, arguments, options, i, memory_bytes));
  }
  Thread& first = *threads.front();

  // A signal wakes the first thread, which passes it on to all.
  Watchdog watchdog(first.loop, service);
  Wake asked(first.epoll, [&threads, &service] {
    service.tell("STOPPING=1\nSTATUS=Asked to stop: finishes what it has begun.");
    for (auto& thread : threads) thread->stop.signal();
  });
  StopSignals signals(asked);
  std::optional<WatchedFiles> watched_files;
  Wake changed(first.epoll, [&] { read_again(threads, watched_files); });
  std::optional<ReloadSignal> reload_signal;
  if (!options.ends_with_terminal) reload_signal.emplace(changed);

  bool is_ready = false;
  // Pinned only after all have read which CPUs there are.
  std::vector<std::thread> others;
  first.platform.ready = [&] {
    if (std::exchange(is_ready, true)) return;
    watch_files(first, watched_files);
    seal({.is_on = options.sandbox,
          .user = options.user,
          .system_calls = first.platform.system_calls,
          .read_again = first.platform.read_again,
          .change_beneath = first.platform.change_beneath},
         first.log, [&consoles] { consoles.start_writers(); });
    while (others.size() + 1 < threads.size()) {
      auto index = static_cast<unsigned>(others.size() + 1);
      others.emplace_back([&options, &run, &thread = *threads[index], index] {
        if (options.pin) pin_to_nth_cpu(index);
        run_thread(thread, run);
      });
    }
    if (options.pin) pin_to_nth_cpu(0);
    if (const auto name = service.untaken(); !name.empty()) {
      first.log.warning({"the socket ", name, " that was handed over is not used"});
    }
    service.tell("READY=1\nSTATUS=Serves.");
    watchdog.start();
  };
  run_thread(first, run);

  for (auto& thread : threads) thread->stop.signal();
  for (std::thread& other : others) other.join();
  exceptions_to = nullptr;
  consoles_now = nullptr;
  return first_failure_of(threads);
}

}  // namespace

std::uint64_t lost_line_count() noexcept {
  const Consoles* const consoles = consoles_now;
  if (consoles == nullptr) return 0;
  return consoles->standard_output.lost_line_count() + consoles->standard_error.lost_line_count();
}

void Platform::reserve_connections(std::uint64_t count) const {
  warn_of_few_descriptors(log, count, raise_descriptor_limit());
}

int start(int argc, char** argv, const StartOptions& options,
          const std::function<int(Platform&)>& run) {
  CHECK(options.threads > 0);
  try {
    return run_all(argc, argv, options, run);
  } catch (const std::exception& error) {
    Console console(STDERR_FILENO);
    base::Log(console).error({"cannot start: ", error.what()});
    return 1;
  }
}

}  // namespace unix_target
