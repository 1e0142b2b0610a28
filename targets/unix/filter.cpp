// SPDX-License-Identifier: ISC
#include "targets/unix/filter.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>

namespace unix_target {

namespace {

constexpr std::array forbidden_calls{
    // Other programs and processes.
    SYS_execve, SYS_execveat, SYS_fork, SYS_vfork, SYS_ptrace, SYS_process_vm_readv,
    SYS_process_vm_writev, SYS_pidfd_open, SYS_pidfd_getfd, SYS_kcmp, SYS_kill, SYS_tkill,
    SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_setpgid, SYS_setsid,
    // Files: whatever changes one, or its name.
    SYS_creat, SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_rename, SYS_renameat, SYS_renameat2,
    SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat, SYS_unlink, SYS_unlinkat, SYS_mkdir,
    SYS_mkdirat, SYS_rmdir, SYS_mknod, SYS_mknodat, SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_chown,
    SYS_fchown, SYS_lchown, SYS_fchownat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr,
    SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SYS_memfd_create, SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    // Rights.
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups,
    SYS_setfsuid, SYS_setfsgid, SYS_capset, SYS_add_key, SYS_request_key, SYS_keyctl,
    // New ports.
    SYS_bind, SYS_listen,
    // The system and the kernel.
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_move_mount,
    SYS_fsopen, SYS_open_tree, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
    SYS_kexec_file_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl,
    SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_sethostname, SYS_setdomainname, SYS_iopl,
    SYS_ioperm, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_personality,
    SYS_modify_ldt, SYS_pkey_mprotect, SYS_syslog, SYS_vhangup};

// What a part that changes files makes of the above.
constexpr std::array changing_calls{SYS_mkdirat, SYS_unlinkat, SYS_renameat};

// They fail with ENOSYS, and nobody needs to know.
constexpr std::array quiet_calls{SYS_clone3, SYS_ioctl, SYS_prlimit64};

constexpr std::uint32_t let_through = SECCOMP_RET_ALLOW;
constexpr std::uint32_t not_there = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint32_t unlisted = SECCOMP_RET_TRAP | std::uint32_t(Refusal::unlisted);
constexpr std::uint32_t forbidden = SECCOMP_RET_TRAP | std::uint32_t(Refusal::forbidden);

constexpr std::uint32_t flags_that_write = O_ACCMODE | O_CREAT | O_TRUNC;
// A file that was not there, and no link: the flags that count, and what they must be.
constexpr std::uint32_t flags_of_making = flags_that_write | O_EXCL | O_NOFOLLOW;
constexpr std::uint32_t making_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

// The program, rule by rule. Arguments are ints for the kernel, or flags whose upper half means
// nothing: their lower halves are looked at.
class Program {
 public:
  void put(unsigned code, std::uint32_t k, unsigned if_true = 0, unsigned if_false = 0) {
    code_.push_back({static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
                     static_cast<std::uint8_t>(if_false), k});
  }
  void load(std::size_t offset) {
    put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void answer(std::uint32_t verdict) { put(BPF_RET | BPF_K, verdict); }
  // The number of the call stays loaded between rules, as a rule that loads another word answers.
  void on(long call, std::uint32_t verdict) {
    put(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1);
    answer(verdict);
  }
  // By whether any of `flags` is in an argument.
  void on_flags(long call, std::size_t argument, std::uint32_t flags, std::uint32_t with,
                std::uint32_t without) {
    begin(call, argument);
    put(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
    answer(with);
    answer(without);
  }
  // By whether an argument is `value`.
  void on_value(long call, std::size_t argument, std::uint32_t value, std::uint32_t equal,
                std::uint32_t other) {
    begin(call, argument);
    put(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(equal);
    answer(other);
  }
  // Where the bits of an argument that are in `mask` are `value`; others are left to later rules.
  void on_masked_value(long call, std::size_t argument, std::uint32_t mask, std::uint32_t value,
                       std::uint32_t equal) {
    put(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 5);
    load(offsetof(seccomp_data, args) + 8 * argument);
    put(BPF_ALU | BPF_AND | BPF_K, mask);
    put(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(equal);
    load(offsetof(seccomp_data, nr));
  }
  std::vector<sock_filter> take() { return std::move(code_); }

 private:
  void begin(long call, std::size_t argument) {
    put(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4);
    load(offsetof(seccomp_data, args) + 8 * argument);
  }
  std::vector<sock_filter> code_;
};

}  // namespace

std::vector<sock_filter> filter_of(std::span<const int> declared, pid_t process,
                                   bool changes_files) {
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.put(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
  program.answer(forbidden);
  program.load(offsetof(seccomp_data, nr));
  program.put(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);  // x32
  program.answer(forbidden);

  // Those whose arguments count.
  const auto is_declared = [declared](int call) {
    return std::ranges::find(declared, call) != declared.end();
  };
  const bool reads_files = is_declared(SYS_openat);
  const std::uint32_t reading = reads_files ? let_through : not_there;
  program.on_flags(SYS_mmap, 2, PROT_EXEC, forbidden, let_through);
  program.on_flags(SYS_mprotect, 2, PROT_EXEC, forbidden, let_through);
  if (changes_files) {
    program.on_masked_value(SYS_openat, 2, flags_of_making, making_flags, let_through);
    for (const int call : changing_calls) {
      if (is_declared(call)) program.on(call, let_through);
    }
  }
  program.on_flags(SYS_openat, 2, flags_that_write, forbidden, reading);
  program.on_flags(SYS_open, 1, flags_that_write, forbidden, reading);
  program.on_flags(SYS_clone, 0, CLONE_THREAD, let_through, forbidden);
  program.on_value(SYS_tgkill, 0, static_cast<std::uint32_t>(process), let_through, forbidden);

  for (const long call : forbidden_calls) program.on(call, forbidden);
  for (const long call : process_calls) program.on(call, let_through);
  for (const int call : declared) program.on(call, let_through);
  for (const long call : quiet_calls) program.on(call, not_there);
  program.answer(unlisted);
  return program.take();
}

}  // namespace unix_target
