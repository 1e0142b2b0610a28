// SPDX-License-Identifier: ISC
// tests/targets/unix/sealed.hpp: a child that seals itself and does one thing, and files for it.
//
// States:  sealed, call, FilesTest.   Used by: tests/targets/unix/sandbox_test.cpp and
//          sandbox_vault_test.cpp.

#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/sandbox.hpp"

struct End {
  int status;        // as waitpid gives it
  std::string said;  // on standard error
};

// What a child says and how it ends that seals itself and calls `what`, whose answer is its status.
inline End sealed(const unix_target::Sandbox& sandbox, const std::function<int()>& what) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
    int status = 99;
    {
      unix_target::Console console(STDERR_FILENO);
      base::Log log(console);
      try {
        unix_target::seal(sandbox, log, [&console] { console.start_writer(); });
        status = what();
      } catch (const std::exception& error) {
        log.error({error.what()});
      }
    }
    ::_exit(status);
  }
  ::close(ends[1]);
  End end{-1, ""};
  std::array<char, 4096> part;
  for (ssize_t got = 1; got > 0;) {
    got = ::read(ends[0], part.data(), part.size());
    if (got > 0) end.said.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, &end.status, 0);
  return end;
}

template <class... Arguments>
std::function<int()> call(long number, Arguments... arguments) {
  return [=] { return ::syscall(number, arguments...) < 0 ? errno : 0; };
}

inline bool has_landlock() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1 /* the version */) > 0;
}

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    char name[] = "/tmp/sandbox_test.XXXXXX";
    root = mkdtemp(name);
  }
  ~FilesTest() override { std::filesystem::remove_all(root); }
  void write(const std::string& path) const {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << path;
  }
  void link(const std::string& to, const std::string& path) const {
    std::filesystem::create_directories((root / path).parent_path());
    std::filesystem::remove(root / path);
    std::filesystem::create_symlink(to, root / path);
  }
  std::string path(const std::string& name) const { return (root / name).string(); }
  // 0, or errno.
  static int open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    return fd < 0 ? errno : 0;
  }
  std::filesystem::path root;
};
