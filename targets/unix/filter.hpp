// SPDX-License-Identifier: ISC
// targets/unix/filter.hpp: which system calls a serving process may make, as a program for the
// kernel.
//
// States:  process_calls, Refusal, filter_of.   Used by: targets/unix/sandbox.cpp.
// Source:  seccomp(2), linux/filter.h, linux/seccomp.h; x86-64.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <linux/filter.h>
#include <sys/syscall.h>
#include <sys/types.h>

namespace unix_target {

// What every process with a loop needs until its end, and the C library for it: time, sleep, wake,
// the log, memory, threads. What devices and jobs need besides they declare.
inline constexpr std::array process_calls{SYS_epoll_wait,
                                          SYS_epoll_pwait,
                                          SYS_epoll_ctl,
                                          SYS_read,
                                          SYS_write,
                                          SYS_writev,
                                          SYS_close,
                                          SYS_futex,
                                          SYS_clock_gettime,
                                          SYS_gettimeofday,
                                          SYS_time,
                                          SYS_clock_nanosleep,
                                          SYS_nanosleep,
                                          SYS_poll,
                                          SYS_ppoll,
                                          SYS_getrandom,
                                          SYS_mmap,
                                          SYS_mprotect,
                                          SYS_mremap,
                                          SYS_munmap,
                                          SYS_madvise,
                                          SYS_brk,
                                          SYS_clone,
                                          SYS_rseq,
                                          SYS_set_robust_list,
                                          SYS_sched_yield,
                                          SYS_sched_getaffinity,
                                          SYS_sched_setaffinity,
                                          SYS_rt_sigaction,
                                          SYS_rt_sigprocmask,
                                          SYS_rt_sigreturn,
                                          SYS_sigaltstack,
                                          SYS_restart_syscall,
                                          SYS_getpid,
                                          SYS_getppid,
                                          SYS_getuid,
                                          SYS_geteuid,
                                          SYS_getgid,
                                          SYS_getegid,
                                          SYS_gettid,
                                          SYS_tgkill,
                                          SYS_exit,
                                          SYS_exit_group};

// Why SIGSYS came: its si_errno.
enum class Refusal : std::uint16_t {
  unlisted,   // neither declared nor forbidden: fails with ENOSYS
  forbidden,  // serving can never need it: the process ends
};

// The filter that lets process_calls and `declared` through, in a process with this id.
//   - Files are opened for reading only, memory is never made executable, `clone` makes threads of
//     this process and `tgkill` reaches only those: with other arguments they are forbidden.
//   - If `changes_files`, a file is also made anew (openat with O_WRONLY, O_CREAT, O_EXCL and
//     O_NOFOLLOW), and declared calls that make folders, rename and remove are let through; where,
//     Landlock limits.
//   - What starts programs, looks into other processes, changes files, rights or the kernel is
//     forbidden, even where it is declared.
//   - What the C library tries and does without (reading a file of the system, clone3) fails with
//     ENOSYS at once.
[[nodiscard]] std::vector<sock_filter> filter_of(std::span<const int> declared, pid_t process,
                                                 bool changes_files = false);

}  // namespace unix_target
