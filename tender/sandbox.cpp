// SPDX-License-Identifier: ISC
#include "tender/sandbox.hpp"

#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace tender {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("cannot " + what + ": " + std::strerror(errno));
}

// A filter, rule by rule. Arguments are compared by their lower halves; those that are looked at
// are ints for the kernel, which drops the upper ones, or flags whose upper half is refused there.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    put(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    kill();
  }

  void allow(long call) { begin(call, 1), accept(); }
  // Only with this first argument.
  void allow(long call, int first) {
    begin(call, 3);
    load_argument(0);
    put(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(first), 0, 1);
    accept();
  }
  void allow(long call, int first, std::uint32_t second) {
    begin(call, 5);
    load_argument(0);
    put(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(first), 0, 3);
    load_argument(1);
    put(BPF_JMP | BPF_JEQ | BPF_K, second, 0, 1);
    accept();
  }
  // mmap: of no file, and not to execute.
  void allow_memory() {
    begin(SYS_mmap, 5);
    load_argument(2);
    put(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 3, 0);
    load_argument(3);
    put(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 0, 1);
    accept();
  }

  void install() {
    kill();
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      fail("filter system calls (seccomp)");
    }
  }

 private:
  void put(unsigned code, std::uint32_t k, std::uint8_t if_true = 0, std::uint8_t if_false = 0) {
    code_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, k});
  }
  void load(std::size_t offset) {
    put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void load_argument(std::size_t index) { load(offsetof(seccomp_data, args) + 8 * index); }
  // The `count` instructions that follow are for this call; where an argument does not fit, they
  // jump behind themselves, to the next rule.
  void begin(long call, std::uint8_t count) {
    load(offsetof(seccomp_data, nr));
    put(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, count);
  }
  void accept() { put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  void kill() { put(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS); }

  std::vector<sock_filter> code_;
};

void drop_privileges() {
  constexpr unsigned nobody = 65534;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("give up new privileges");
  // A change of user resets the signal that comes when the parent dies.
  int at_parents_end = 0;
  ::prctl(PR_GET_PDEATHSIG, &at_parents_end);
  // In some containers root cannot become anybody else; it still loses its capabilities.
  if (::geteuid() == 0 && ::setgroups(0, nullptr) == 0 &&
      ::setresgid(nobody, nobody, nobody) == 0) {
    static_cast<void>(::setresuid(nobody, nobody, nobody));
  }
  if (at_parents_end != 0) ::prctl(PR_SET_PDEATHSIG, at_parents_end);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) != 0) fail("give up capabilities");
}

}  // namespace

void enter_sandbox(const Allowed& allowed) {
  drop_privileges();
  Filter filter;
  filter.allow(SYS_ioctl, allowed.processor, KVM_RUN);
  filter.allow(SYS_ioctl, allowed.processor, static_cast<std::uint32_t>(KVM_GET_REGS));
  for (const int network : allowed.networks) {
    filter.allow(SYS_read, network);
    filter.allow(SYS_write, network);
  }
  for (const int block : allowed.blocks) {
    filter.allow(SYS_pread64, block);
    filter.allow(SYS_pwrite64, block);
  }
  filter.allow(SYS_ppoll);
  filter.allow(SYS_write, STDOUT_FILENO);
  filter.allow(SYS_write, STDERR_FILENO);
  filter.allow(SYS_write, allowed.wake);
  for (const long call : {SYS_clock_gettime, SYS_rt_sigreturn, SYS_restart_syscall, SYS_brk,
                          SYS_munmap, SYS_exit_group}) {
    filter.allow(call);
  }
  filter.allow_memory();
  filter.install();
}

}  // namespace tender
