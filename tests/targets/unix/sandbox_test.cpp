// SPDX-License-Identifier: ISC
// tests/targets/unix/sandbox_test.cpp: a sealed process goes on serving; what it must not do ends
// it, with a line.
//
// Method: a child seals itself and does one thing; its status and what it wrote are looked at. What
// this kernel lacks is skipped with the reason.

#include "targets/unix/sandbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/system_calls.hpp"
#include "targets/unix/landlock.hpp"
#include "tests/targets/unix/sealed.hpp"

namespace {

using unix_target::Sandbox;
using unix_target::User;

struct Misdeed {
  const char* name;
  long number;
  std::function<int()> what;
};

TEST(Sandbox, WhatServingNeverDoesEndsTheProcessAndIsLogged) {
  const Misdeed misdeeds[] = {
      {"execute", SYS_execve, call(SYS_execve, "/bin/true", nullptr, nullptr)},
      {"debug", SYS_ptrace, call(SYS_ptrace, PTRACE_TRACEME, 0L, 0L, 0L)},
      {"write a file", SYS_openat, call(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY)},
      {"create a file", SYS_openat, call(SYS_openat, AT_FDCWD, "/tmp/none", O_CREAT, 0600)},
      {"make a folder", SYS_mkdir, call(SYS_mkdir, "/tmp/none", 0700)},
      {"fork", SYS_fork, call(SYS_fork)},
      {"kill", SYS_kill, call(SYS_kill, 1L, 0L)},
      {"code", SYS_mmap, call(SYS_mmap, 0L, 4096L, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L)},
  };
  for (const Misdeed& one : misdeeds) {
    SCOPED_TRACE(one.name);
    const End end = sealed({}, one.what);
    EXPECT_TRUE(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGSYS) << end.status;
    EXPECT_EQ(end.said, "error: system call " + std::to_string(one.number) +
                            " is forbidden: nothing that serves a site makes it; this process "
                            "ends\n");
  }
}

TEST(Sandbox, AThreadEndsTheProcessAsWell) {
  const End end = sealed({}, [] {
    std::thread([] { ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }).join();
    return 0;
  });
  EXPECT_TRUE(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGSYS) << end.status;
}

TEST(Sandbox, AnUnlistedCallFailsAndIsLoggedOnce) {
  const End end = sealed({}, [] {
    for (int i = 0; i < 3; ++i) {
      if (::socket(AF_INET, SOCK_STREAM, 0) != -1 || errno != ENOSYS) return 1;
    }
    return 0;
  });
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.said,
            "warning: system call 41 fails: no part of this image declares it (--sandbox=false "
            "lets it through)\n");
}

TEST(Sandbox, ADeclaredCallWorksAndSoDoThreadsMemoryAndTheLog) {
  constexpr int declared[] = {SYS_socket};
  const End end = sealed({.system_calls = declared}, [] {
    bool has_run = false;
    std::thread([&has_run] {
      const std::string much(1 << 22, 'x');
      has_run = much.back() == 'x';
    }).join();
    return ::socket(AF_INET, SOCK_STREAM, 0) < 0 || !has_run ? 1 : 0;
  });
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.said, "");
}

TEST(Sandbox, SwitchedOffItForbidsNothing) {
  EXPECT_EQ(sealed({.is_on = false}, call(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY)).status, 0);
}

// ---- Files

class Files : public FilesTest {
 protected:
  // What opening `other` gives to a sealed process that reads `again`; first `change` is done to
  // the files, by its parent.
  int sealed_open(
      const std::string& again, const std::string& other,
      const std::function<void()>& change = [] {}) {
    int is_sealed[2];
    int go[2];
    EXPECT_EQ(pipe2(is_sealed, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(go, O_CLOEXEC), 0);
    const std::string paths[] = {again};
    const Sandbox sandbox{.system_calls = config::reading_files, .read_again = paths};
    std::thread parent([&] {
      char byte = 0;
      EXPECT_EQ(::read(is_sealed[0], &byte, 1), 1);
      change();
      EXPECT_EQ(::write(go[1], &byte, 1), 1);
    });
    const End end = sealed(sandbox, [&] {
      char byte = 0;
      if (::write(is_sealed[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) return 98;
      return open(other);
    });
    parent.join();
    for (const int fd : {is_sealed[0], is_sealed[1], go[0], go[1]}) ::close(fd);
    EXPECT_TRUE(WIFEXITED(end.status)) << end.said;
    return WEXITSTATUS(end.status);
  }
};

TEST_F(Files, OnlyWhatIsReadAgainCanBeOpened) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  write("certs/cert.pem");
  write("secret/key.pem");
  EXPECT_EQ(sealed_open(path("certs/cert.pem"), path("certs/cert.pem")), 0);
  EXPECT_EQ(sealed_open(path("certs/cert.pem"), path("secret/key.pem")), EACCES);
  EXPECT_EQ(sealed_open(path("certs"), path("certs/cert.pem")), 0);
  EXPECT_EQ(sealed_open(path("certs"), "/etc/passwd"), EACCES);
}

TEST_F(Files, WhatRenewsTheCertificateMayMoveItsLinks) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  // certbot
  write("archive/site/cert1.pem");
  link("../../archive/site/cert1.pem", "live/site/cert.pem");
  const std::string live = path("live/site/cert.pem");
  EXPECT_EQ(sealed_open(live, live,
                        [&] {
                          write("archive/site/cert2.pem");
                          link("../../archive/site/cert2.pem", "live/site/cert.pem");
                        }),
            0);
  // Kubernetes
  write("volume/..2026_1/tls.crt");
  link("..2026_1", "volume/..data");
  link("..data/tls.crt", "volume/tls.crt");
  EXPECT_EQ(sealed_open(path("volume/tls.crt"), path("volume/tls.crt"),
                        [&] {
                          write("volume/..2026_2/tls.crt");
                          link("..2026_2", "volume/..data");
                          std::filesystem::remove_all(root / "volume/..2026_1");
                        }),
            0);
  // A folder of releases, with a link to the one that counts.
  write("releases/1/cert.pem");
  link("1", "releases/current");
  EXPECT_EQ(sealed_open(path("releases/current/cert.pem"), path("releases/current/cert.pem"),
                        [&] {
                          write("releases/2/cert.pem");
                          link("2", "releases/current");
                        }),
            0);
}

TEST_F(Files, TheRootIsNeverAFolderToRead) {
  EXPECT_TRUE(unix_target::folders_to_read("/cert.pem").empty());
  EXPECT_TRUE(unix_target::folders_to_read("/").empty());
  write("a/b");
  EXPECT_EQ(unix_target::folders_to_read(path("a/b")),
            std::vector<std::string>{std::filesystem::canonical(root / "a").string()});
}

// ---- Who

TEST(User, IsTwoNumbers) {
  const auto user = unix_target::read_user("65534:100");
  ASSERT_TRUE(user.has_value());
  EXPECT_EQ(user->uid, 65534U);
  EXPECT_EQ(user->gid, 100U);
  for (const char* bad :
       {"", "1", "1:", ":1", "a:b", "1:2:3", "-1:1", "4294967295:1", "1:1x", " 1:1"}) {
    const auto none = unix_target::read_user(bad);
    ASSERT_FALSE(none.has_value()) << bad;
    EXPECT_EQ(none.error(), "--user cannot be '" + std::string(bad) +
                                "': it takes the numbers of a user and a group, as 65534:65534");
  }
}

// The capabilities of a thread, as the kernel shows them.
std::string line_of_status(const std::string& name) {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":"))
      return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  }
  return "";
}

TEST(User, RootBecomesSomebodyElseForGood) {
  if (geteuid() != 0) GTEST_SKIP() << "takes root";
  for (const bool is_on : {true, false}) {
    const End end = sealed({.is_on = is_on, .user = User{65534, 65533}}, [is_on] {
      if (getuid() != 65534 || geteuid() != 65534 || getgid() != 65533 || getegid() != 65533)
        return 1;
      if (!is_on && getgroups(0, nullptr) != 0) return 2;
      if (!is_on && setuid(0) == 0) return 3;
      bool thread_is_root = true;
      std::thread([&] { thread_is_root = getuid() == 0; }).join();
      return thread_is_root ? 4 : 0;
    });
    EXPECT_EQ(end.status, 0) << end.said;
  }
  const End end = sealed({.is_on = false, .user = User{65534, 65534}},
                         [] { return line_of_status("CapPrm") == "0000000000000000" ? 0 : 1; });
  EXPECT_EQ(end.status, 0);
}

TEST(User, WhoIsNotRootCannotBecomeSomebodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "takes root, to stop being it";
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(77);
    try {
      unix_target::become(User{65534, 65534});
    } catch (const std::exception&) {
      _exit(1);
    }
    try {
      unix_target::become(User{1, 1});
    } catch (const std::exception& error) {
      _exit(std::string(error.what()).starts_with("cannot become user 1:1 (--user): ") ? 0 : 2);
    }
    _exit(3);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
