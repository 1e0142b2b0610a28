// SPDX-License-Identifier: ISC
// tests/targets/unix/devices_test.cpp: epoll, wake, clock, entropy and limits, one by one.
//
// Method: pipes stand for the media; what would end or change the process is done in a child.

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/entropy.hpp"
#include "targets/unix/epoll.hpp"
#include "targets/unix/limits.hpp"
#include "targets/unix/platform.hpp"
#include "targets/unix/wake.hpp"

namespace {

using namespace std::chrono_literals;

struct Pipe {
  Pipe() { EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int i) {
    if (ends[i] >= 0) ::close(std::exchange(ends[i], -1));
  }
  int reader() const { return ends[0]; }
  int writer() const { return ends[1]; }
  int ends[2] = {-1, -1};
};

class Noted final : public base::Watch {
 public:
  void run() override { ++runs; }
  int runs = 0;
};

struct EpollTest : ::testing::Test {
  EpollTest() { epoll.serve(loop); }
  unix_target::Clock clock;
  unix_target::Epoll epoll{clock};
  base::Loop loop{clock, epoll};
  Pipe pipe;
  Noted noted;
};

TEST_F(EpollTest, AnEdgeSetsTheFlagOnceAndSchedules) {
  ASSERT_TRUE(epoll.watch(pipe.reader(), noted));
  epoll.sleep(clock.now());
  EXPECT_FALSE(noted.is_scheduled());
  ASSERT_EQ(::write(pipe.writer(), "x", 1), 1);
  epoll.sleep(base::never);
  EXPECT_TRUE(noted.is_scheduled());
  EXPECT_TRUE(noted.readable);
  EXPECT_FALSE(noted.hangup);
  EXPECT_EQ(noted.runs, 0) << "not inside the event pass";
  loop.turn(clock.now());
  EXPECT_EQ(noted.runs, 1);
  noted.readable = false;
  loop.turn(clock.now());
  EXPECT_FALSE(noted.readable) << "an edge, not a level";
  EXPECT_EQ(noted.runs, 1);
}

TEST_F(EpollTest, WhatIsThereBeforeWatchingIsReported) {
  ASSERT_EQ(::write(pipe.writer(), "x", 1), 1);
  ASSERT_TRUE(epoll.watch(pipe.reader(), noted));
  epoll.sleep(base::never);
  EXPECT_TRUE(noted.readable);
}

TEST_F(EpollTest, AHangupMeansThatReadingMayBeTried) {
  ASSERT_TRUE(epoll.watch(pipe.reader(), noted));
  pipe.close_end(1);
  epoll.sleep(base::never);
  EXPECT_TRUE(noted.hangup);
  EXPECT_TRUE(noted.readable);
}

TEST_F(EpollTest, AfterForgettingNoWorkIsScheduled) {
  ASSERT_TRUE(epoll.watch(pipe.reader(), noted));
  ASSERT_EQ(::write(pipe.writer(), "x", 1), 1);
  epoll.sleep(base::never);
  epoll.forget(pipe.reader(), noted);
  EXPECT_FALSE(noted.is_scheduled());
  ASSERT_EQ(::write(pipe.writer(), "x", 1), 1);
  epoll.sleep(clock.now());
  EXPECT_FALSE(noted.is_scheduled());
}

TEST_F(EpollTest, AFileThatCannotBeWatchedIsRefused) {
  int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  EXPECT_FALSE(epoll.watch(fd, noted));
  ::close(fd);
}

TEST_F(EpollTest, SleepsUntilTheDeadlineAndNotBeyondAllTime) {
  const base::Instant deadline = clock.now() + 3ms;
  while (clock.now() < deadline) epoll.sleep(deadline);
  EXPECT_GE(clock.now(), deadline);
}

TEST_F(EpollTest, AnotherThreadWakesIt) {
  int woken = 0;
  unix_target::Wake wake(epoll, [&] { ++woken; });
  loop.turn(clock.now());
  EXPECT_EQ(woken, 0);
  std::thread other([&wake] {
    wake.signal();
    wake.signal();
  });
  other.join();
  loop.turn(base::never);
  loop.turn(clock.now());
  EXPECT_EQ(woken, 1) << "two signals before it runs are one";
}

TEST(Clock, DoesNotGoBackAndKnowsTheYear) {
  unix_target::Clock clock;
  base::Instant last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    base::Instant now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_LE(std::abs(clock.wall_s() - std::time(nullptr)), 1);
}

TEST(Entropy, FillsEveryByteAnewEachTime) {
  unix_target::Entropy entropy;
  std::byte first[64] = {};
  std::byte second[64] = {};
  entropy.fill(first);
  entropy.fill(second);
  EXPECT_NE(std::memcmp(first, second, sizeof first), 0);
  // 32 bytes that are all zero come by chance once in 2^256.
  EXPECT_NE(std::memcmp(first + 32, std::string(32, '\0').data(), 32), 0);
  entropy.fill({});
}

// Every getrandom of this process is answered ENOSYS from now on.
void take_getrandom_away() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    _exit(3);
  }
}
TEST(EntropyDeathTest, WithoutGetrandomNothingStarts) {
  auto start = [] {
    take_getrandom_away();
    try {
      unix_target::Entropy entropy;
    } catch (const std::exception&) {
      _exit(7);
    }
    _exit(0);
  };
  EXPECT_EXIT(start(), ::testing::ExitedWithCode(7), "");
}

class Lines final : public base::Console {
 public:
  void write(std::string_view text) noexcept override { all += text; }
  std::string all;
};

TEST(Limits, WarnsOnlyWhenConnectionsDoNotFit) {
  Lines console;
  base::Log log(console);
  unix_target::warn_of_few_descriptors(log, 1000, 1032);
  EXPECT_EQ(console.all, "");
  unix_target::warn_of_few_descriptors(log, 1001, 1032);
  EXPECT_EQ(console.all,
            "warning: up to 1001 connections need 1033 open files, but the limit is 1032: raise it "
            "(ulimit -Hn, LimitNOFILE=) or lower --max-connections; until then connections beyond "
            "it wait\n");
}

TEST(Limits, RaisesTheSoftLimitToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{64, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(unix_target::raise_descriptor_limit(), before.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

// A process that should end and be started again must not wait for whoever reads what it says.
TEST(Panic, EndsTheProcessThoughStandardErrorIsFull) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr unsigned bound_s = 20;
    alarm(bound_s);
    Pipe pipe;
    while (::write(pipe.ends[1], "x", 1) > 0) {
    }
    fcntl(pipe.ends[1], F_SETFL, 0);
    dup2(pipe.ends[1], STDERR_FILENO);
    char name[] = "program";
    char* arguments[] = {name, nullptr};
    unix_target::start(1, arguments, {}, [](unix_target::Platform&) {
      base::panic("a.cpp", 1, "a bug");
      return 0;
    });
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

}  // namespace
