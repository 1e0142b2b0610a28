// SPDX-License-Identifier: ISC
// tests/targets/unix/filter_test.cpp: what the filter of system calls answers, call by call.
//
// Method: the program is run here, on made-up calls, by the few instructions that it is made of.

#include "targets/unix/filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>

namespace {

using unix_target::filter_of;

constexpr pid_t process = 4711;
constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t enosys = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint32_t unlisted = SECCOMP_RET_TRAP;
constexpr std::uint32_t forbidden = SECCOMP_RET_TRAP | 1U;

std::uint32_t word_at(const seccomp_data& data, std::uint32_t offset) {
  std::uint32_t word = 0;
  std::memcpy(&word, reinterpret_cast<const char*>(&data) + offset, sizeof word);
  return word;
}

std::uint32_t run(const std::vector<sock_filter>& code, const seccomp_data& data) {
  std::uint32_t loaded = 0;
  for (std::size_t at = 0; at < code.size(); ++at) {
    const sock_filter& one = code[at];
    bool is_met = false;
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        loaded = word_at(data, one.k);
        continue;
      case BPF_ALU | BPF_AND | BPF_K:
        loaded &= one.k;
        continue;
      case BPF_RET | BPF_K:
        return one.k;
      case BPF_JMP | BPF_JEQ | BPF_K:
        is_met = loaded == one.k;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        is_met = loaded >= one.k;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        is_met = (loaded & one.k) != 0;
        break;
      default:
        ADD_FAILURE() << "instruction " << one.code;
        return 0;
    }
    at += is_met ? one.jt : one.jf;
  }
  ADD_FAILURE() << "the program runs out of itself";
  return 0;
}

struct Case {
  const char* name;
  int call;
  std::array<std::uint64_t, 3> arguments;
  std::uint32_t verdict;
};

std::uint32_t verdict_of(const Case& one, std::span<const int> declared,
                         std::uint32_t arch = AUDIT_ARCH_X86_64, bool changes_files = false) {
  seccomp_data data{};
  data.nr = one.call;
  data.arch = arch;
  std::ranges::copy(one.arguments, data.args);
  return run(filter_of(declared, process, changes_files), data);
}

constexpr std::uint64_t at_cwd = static_cast<std::uint64_t>(AT_FDCWD);

TEST(Filter, OfAProcessThatDeclaresNothing) {
  const Case cases[] = {
      {"write", SYS_write, {1}, allow},
      {"wait", SYS_epoll_wait, {}, allow},
      {"random bytes", SYS_getrandom, {}, allow},
      {"memory", SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE}, allow},
      {"memory to execute", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC}, forbidden},
      {"other rights", SYS_mprotect, {0, 4096, PROT_READ}, allow},
      {"the right to execute", SYS_mprotect, {0, 4096, PROT_EXEC}, forbidden},
      {"a thread", SYS_clone, {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}, allow},
      {"a process", SYS_clone, {SIGCHLD}, forbidden},
      {"fork", SYS_fork, {}, forbidden},
      {"clone3, of which nothing is seen", SYS_clone3, {}, enosys},
      {"its own abort", SYS_tgkill, {process, 5, SIGABRT}, allow},
      {"a signal to another process", SYS_tgkill, {1, 1, SIGKILL}, forbidden},
      {"kill", SYS_kill, {1, SIGKILL}, forbidden},
      {"read a file", SYS_openat, {at_cwd, 0, O_RDONLY | O_CLOEXEC}, enosys},
      {"write a file", SYS_openat, {at_cwd, 0, O_WRONLY}, forbidden},
      {"create a file", SYS_openat, {at_cwd, 0, O_RDONLY | O_CREAT}, forbidden},
      {"cut a file", SYS_open, {0, O_TRUNC}, forbidden},
      {"read a file by the old call", SYS_open, {0, O_RDONLY}, enosys},
      {"execute", SYS_execve, {}, forbidden},
      {"debug", SYS_ptrace, {}, forbidden},
      {"another process's memory", SYS_process_vm_writev, {}, forbidden},
      {"mount", SYS_mount, {}, forbidden},
      {"become root", SYS_setuid, {0}, forbidden},
      {"load a kernel module", SYS_finit_module, {}, forbidden},
      {"rings", SYS_io_uring_setup, {}, forbidden},
      {"another port", SYS_bind, {}, forbidden},
      {"remove a file", SYS_unlinkat, {}, forbidden},
      {"accept", SYS_accept4, {}, unlisted},
      {"socket", SYS_socket, {}, unlisted},
      {"connect", SYS_connect, {}, unlisted},
      {"a call that is not there yet", 463, {}, unlisted},
      {"x32", 0x40000000 + SYS_write, {1}, forbidden},
  };
  for (const Case& one : cases) EXPECT_EQ(verdict_of(one, {}), one.verdict) << one.name;
  EXPECT_EQ(verdict_of({"i386", 11, {}, 0}, {}, AUDIT_ARCH_I386), forbidden);
}

TEST(Filter, LetsThroughWhatIsDeclaredButNothingForbidden) {
  constexpr int declared[] = {SYS_accept4, SYS_openat, SYS_execve, SYS_bind};
  const Case cases[] = {
      {"accept", SYS_accept4, {}, allow},
      {"read a file", SYS_openat, {at_cwd, 0, O_RDONLY | O_CLOEXEC}, allow},
      {"write a file", SYS_openat, {at_cwd, 0, O_RDWR}, forbidden},
      {"execute", SYS_execve, {}, forbidden},
      {"another port", SYS_bind, {}, forbidden},
      {"recvfrom", SYS_recvfrom, {}, unlisted},
  };
  for (const Case& one : cases) EXPECT_EQ(verdict_of(one, declared), one.verdict) << one.name;
}

TEST(Filter, OfAProcessThatChangesFilesBeneathAFolder) {
  constexpr int declared[] = {SYS_openat,   SYS_mkdirat, SYS_unlinkat,
                              SYS_renameat, SYS_fsync,   SYS_renameat2};
  constexpr std::uint64_t anew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Case cases[] = {
      {"a new file", SYS_openat, {3, 0, anew}, allow},
      {"that was there", SYS_openat, {3, 0, anew & ~std::uint64_t{O_EXCL}}, forbidden},
      {"that is a link", SYS_openat, {3, 0, anew & ~std::uint64_t{O_NOFOLLOW}}, forbidden},
      {"that is read too", SYS_openat, {3, 0, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW}, forbidden},
      {"that is cut", SYS_openat, {3, 0, anew | O_TRUNC}, forbidden},
      {"write an old file", SYS_openat, {3, 0, O_WRONLY | O_EXCL | O_NOFOLLOW}, forbidden},
      {"by the old call", SYS_open, {0, anew}, forbidden},
      {"read a file", SYS_openat, {3, 0, O_RDONLY | O_CLOEXEC}, allow},
      {"make a folder", SYS_mkdirat, {3}, allow},
      {"rename", SYS_renameat, {3}, allow},
      {"remove", SYS_unlinkat, {3}, allow},
      {"flush", SYS_fsync, {3}, allow},
      {"rename in another way", SYS_renameat2, {3}, forbidden},
      {"link", SYS_linkat, {3}, forbidden},
      {"rights", SYS_fchmod, {3}, forbidden},
      {"execute", SYS_execve, {}, forbidden},
      {"a call after those", SYS_write, {1}, allow},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(verdict_of(one, declared, AUDIT_ARCH_X86_64, true), one.verdict) << one.name;
  }
  // Neither is enough alone: that a part declares the call, that it names a folder.
  for (const int call : {SYS_mkdirat, SYS_renameat, SYS_unlinkat}) {
    EXPECT_EQ(verdict_of({"declared", call, {3}, 0}, declared), forbidden);
    EXPECT_EQ(verdict_of({"undeclared", call, {3}, 0}, {}, AUDIT_ARCH_X86_64, true), forbidden);
  }
}

TEST(Filter, FitsTheKernel) {
  std::array<int, 256> declared;
  for (int i = 0; i < 256; ++i) declared[static_cast<std::size_t>(i)] = 1000 + i;
  EXPECT_LE(filter_of(declared, process).size(), std::size_t{BPF_MAXINSNS});
}

}  // namespace
