// SPDX-License-Identifier: ISC
// tests/targets/unix/start_test.cpp: threads start, are asked to stop, and end.
//
// Method: signals go to this process (or to a child where they end it); threads tell what they saw
// through atomics.

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <set>
#include <stdexcept>
#include <string>

#include <sched.h>
#include <unistd.h>

#include "targets/unix/platform.hpp"

namespace {

using namespace std::chrono_literals;
using unix_target::Platform;

// A start without arguments.
int start(const unix_target::StartOptions& options, const std::function<int(Platform&)>& run) {
  char name[] = "program";
  char first[] = "--one";
  char* arguments[] = {name, first, nullptr};
  return unix_target::start(2, arguments, options, run);
}

base::Task<void> sleep_long(base::Loop& loop) { co_await loop.sleep_for(60s); }

TEST(Start, GivesAThreadWhatItNeedsAndItsStatus) {
  EXPECT_EQ(start({},
                  [](Platform& platform) {
                    EXPECT_EQ(platform.thread_index, 0U);
                    EXPECT_EQ(platform.thread_count, 1U);
                    EXPECT_EQ(platform.arguments.size(), 1U);
                    EXPECT_EQ(std::string(platform.arguments[0]), "--one");
                    return 5;
                  }),
            5);
}

TEST(Start, AnExceptionIsLoggedAndCountsAsOne) {
  ::testing::internal::CaptureStderr();
  int status = start({}, [](Platform&) -> int { throw std::runtime_error("the disk is on fire"); });
  EXPECT_EQ(status, 1);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "error: the disk is on fire\n");
}

TEST(Start, OtherThreadsWaitUntilTheFirstIsReady) {
  std::atomic<int> others{0};
  std::atomic<bool> ready{false};
  int status = start({.threads = 3, .pin = true}, [&](Platform& platform) {
    if (platform.thread_index == 0) {
      EXPECT_EQ(others, 0);
      ready = true;
    } else {
      EXPECT_TRUE(ready);
      ++others;
    }
    platform.ready();
    return static_cast<int>(platform.thread_index);
  });
  EXPECT_EQ(others, 2);
  EXPECT_EQ(status, 1) << "the first that is not 0, in order of threads";
}

TEST(Start, AFirstThreadThatIsNotReadyStartsNoOther) {
  int status = start({.threads = 2}, [](Platform& platform) {
    EXPECT_EQ(platform.thread_index, 0U);
    return 4;
  });
  EXPECT_EQ(status, 4);
}

TEST(Start, ASignalAsksEveryThreadToStopOnce) {
  for (int signal : {SIGTERM, SIGINT}) {
    std::atomic<int> asked{0};
    std::atomic<int> running{0};
    int status = start({.threads = 3}, [&](Platform& platform) {
      base::Loop& loop = platform.loop;
      platform.on_stop = [&asked, &loop] {
        ++asked;
        loop.stop();
      };
      platform.ready();
      loop.spawn(sleep_long(loop));
      if (++running == 3) {
        ::kill(getpid(), signal);
        ::kill(getpid(), SIGTERM);  // again, while it stops
      }
      loop.run();
      return 0;
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(asked, 3);
  }
}

TEST(Start, AHangUpReachesEveryThreadTheFirstBeforeTheOthers) {
  std::atomic<int> running{0};
  std::atomic<int> told{0};
  std::atomic<bool> first_was_told{false};
  int status = start({.threads = 3}, [&](Platform& platform) {
    platform.on_reload = [&] {
      if (platform.thread_index == 0) {
        first_was_told = true;
      } else {
        EXPECT_TRUE(first_was_told);
      }
      if (++told == 3) ::kill(getpid(), SIGTERM);
    };
    platform.ready();
    platform.loop.spawn(sleep_long(platform.loop));
    if (++running == 3) ::kill(getpid(), SIGHUP);
    platform.loop.run();
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(told, 3);
}

TEST(Start, AHangUpWithNothingToReadAgainIsSaidAndEndsNothing) {
  ::testing::internal::CaptureStderr();
  int status = start({}, [](Platform& platform) {
    ::kill(getpid(), SIGHUP);  // even before it is ready
    platform.ready();
    platform.loop.spawn(sleep_long(platform.loop));
    platform.loop.turn(platform.loop.now() + 10ms);
    ::kill(getpid(), SIGTERM);
    platform.loop.run();
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "SIGHUP: no file is read again, as none was named at the start (--cert)\n");
}

TEST(StartDeathTest, AHangUpEndsAProcessThatEndsWithItsTerminal) {
  auto plain = [](Platform& platform) {
    platform.ready();
    ::kill(getpid(), SIGHUP);
    return 0;
  };
  EXPECT_EXIT(_exit(start({.ends_with_terminal = true}, plain)), ::testing::KilledBySignal(SIGHUP),
              "");
}

TEST(Start, WithoutAnOnStopTheLoopIsStopped) {
  int status = start({}, [](Platform& platform) {
    platform.loop.spawn(sleep_long(platform.loop));
    ::kill(getpid(), SIGTERM);
    platform.loop.run();
    return 0;
  });
  EXPECT_EQ(status, 0);
}

TEST(Start, TheEndOfTheFirstThreadAsksTheOthersToStop) {
  std::atomic<int> asked{0};
  int status = start({.threads = 2}, [&](Platform& platform) {
    platform.ready();
    if (platform.thread_index == 0) return 9;
    platform.on_stop = [&] {
      ++asked;
      platform.loop.stop();
    };
    platform.loop.spawn(sleep_long(platform.loop));
    platform.loop.run();
    return 0;
  });
  EXPECT_EQ(status, 9);
  EXPECT_EQ(asked, 1);
}

TEST(StartDeathTest, ASecondInterruptExitsAtOnce) {
  auto stubborn = [](Platform& platform) {
    ::kill(getpid(), SIGINT);
    ::kill(getpid(), SIGTERM);  // does not count
    platform.loop.turn(platform.loop.now() + 1ms);
    ::kill(getpid(), SIGINT);
    return 0;
  };
  EXPECT_EXIT(_exit(start({}, stubborn)), ::testing::ExitedWithCode(130), "");
}

TEST(Start, SignalsAreAsBeforeAfterwards) {
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    start({}, [](Platform& platform) {
      platform.on_reload = [] {};
      platform.ready();
      return 0;
    });
    struct sigaction after {};
    sigaction(signal, nullptr, &after);
    EXPECT_EQ(before.sa_handler, after.sa_handler);
  }
}

TEST(Start, PinnedThreadsEachHaveOneCpu) {
  start({.threads = 1, .pin = true}, [](Platform& platform) {
    platform.ready();
    cpu_set_t cpus;
    EXPECT_EQ(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    EXPECT_EQ(CPU_COUNT(&cpus), 1);
    return 0;
  });
}

}  // namespace
