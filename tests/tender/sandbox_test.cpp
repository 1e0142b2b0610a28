// SPDX-License-Identifier: ISC
// The sandbox, entered by a child: what it lets through goes on, everything else ends it.

#include "tender/sandbox.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>

namespace {

// Descriptors of the child; each is open on /dev/null or /dev/zero.
constexpr int processor = 40;
constexpr int wake = 41;
constexpr int network = 42;
constexpr int block = 43;
constexpr int other = 44;

// The child's status: 0, or 128 + the signal that ended it.
int in_sandbox(void (*what)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int zero = ::open("/dev/zero", O_RDWR | O_CLOEXEC);
    for (const int fd : {processor, wake, network, block, other}) ::dup2(zero, fd);
    try {
      tender::enter_sandbox(
          {.processor = processor, .wake = wake, .networks = {network}, .blocks = {block}});
    } catch (const std::exception&) {
      ::_exit(99);
    }
    what();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char buffer[16];
template <class... Arguments>
void call(long number, Arguments... arguments) {
  static_cast<void>(::syscall(number, arguments...));
}

struct Case {
  const char* name;
  void (*what)();
  bool passes;
};
const Case cases[] = {
    {"nothing", [] {}, true},
    {"write to standard output", [] { call(SYS_write, 1, buffer, 0); }, true},
    {"write to standard error", [] { call(SYS_write, 2, buffer, 0); }, true},
    {"write to a network", [] { call(SYS_write, network, buffer, 16); }, true},
    {"write to the wake", [] { call(SYS_write, wake, buffer, 8); }, true},
    {"write to a block device", [] { call(SYS_write, block, buffer, 8); }, false},
    {"write to the processor", [] { call(SYS_write, processor, buffer, 8); }, false},
    {"write elsewhere", [] { call(SYS_write, other, buffer, 8); }, false},
    {"read a network", [] { call(SYS_read, network, buffer, 16); }, true},
    {"read standard input", [] { call(SYS_read, 0, buffer, 16); }, false},
    {"read a block device", [] { call(SYS_read, block, buffer, 16); }, false},
    {"pread a block device", [] { call(SYS_pread64, block, buffer, 16, 0L); }, true},
    {"pread a network", [] { call(SYS_pread64, network, buffer, 16, 0L); }, false},
    {"pwrite a block device", [] { call(SYS_pwrite64, block, buffer, 16, 0L); }, true},
    {"run the processor", [] { call(SYS_ioctl, processor, KVM_RUN, 0L); }, true},
    {"read its registers", [] { call(SYS_ioctl, processor, KVM_GET_REGS, 0L); }, true},
    {"set its registers", [] { call(SYS_ioctl, processor, KVM_SET_REGS, 0L); }, false},
    {"run another", [] { call(SYS_ioctl, other, KVM_RUN, 0L); }, false},
    {"more memory for it", [] { call(SYS_ioctl, other, KVM_SET_USER_MEMORY_REGION, 0L); }, false},
    {"open", [] { call(SYS_openat, AT_FDCWD, "/dev/null", 0); }, false},
    {"socket", [] { call(SYS_socket, 2, 1, 0); }, false},
    {"fork", [] { call(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L); }, false},
    {"execute", [] { call(SYS_execve, "/bin/true", nullptr, nullptr); }, false},
    {"kill", [] { call(SYS_kill, ::getppid(), 0); }, false},
    {"duplicate", [] { call(SYS_dup2, other, network); }, false},
    {"memory",
     [] { call(SYS_mmap, 0L, 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L); },
     true},
    {"memory to execute",
     [] { call(SYS_mmap, 0L, 4096L, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L); },
     false},
    {"memory of a file", [] { call(SYS_mmap, 0L, 4096L, PROT_READ, MAP_PRIVATE, other, 0L); },
     false},
    {"other rights", [] { call(SYS_mprotect, 0L, 4096L, PROT_EXEC); }, false},
    {"a 32-bit call", [] { asm volatile("int $0x80"
                                        :
                                        : "a"(20)
                                        : "memory"); }, false},
};

TEST(Sandbox, LetsThroughWhatServingTakesAndNothingElse) {
  for (const Case& one : cases) {
    EXPECT_EQ(in_sandbox(one.what), one.passes ? 0 : 128 + SIGSYS) << one.name;
  }
}

}  // namespace
