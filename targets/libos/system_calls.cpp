// SPDX-License-Identifier: ISC
// The system calls that static glibc and libstdc++ make, answered without a kernel.
//
// Bounds:  memory is what the machine has; more is refused by ENOMEM, which the C++ library turns
//          into std::bad_alloc. A number that is not here is told once and refused by ENOSYS.
// Source:  Linux's manual pages, section 2; asm/unistd_64.h.

#include <asm/unistd_64.h>
#include <sys/mman.h>

#include "targets/libos/clock.hpp"
#include "targets/libos/cpu.hpp"
#include "targets/libos/heap.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/pages.hpp"
#include "targets/libos/paging.hpp"
#include "targets/libos/random.hpp"
#include "targets/libos/report.hpp"

namespace libos {

namespace {

enum Error : std::int64_t {
  no_entry = -2,
  bad_descriptor = -9,
  no_memory = -12,
  invalid = -22,
  not_a_terminal = -25,
  no_such_call = -38,
};

constexpr std::uint64_t standard_output = 1;
constexpr std::uint64_t standard_error = 2;

bool is_console(std::uint64_t fd) { return fd == standard_output || fd == standard_error; }

std::int64_t write(std::uint64_t fd, const char* text, std::uint64_t bytes) {
  if (!is_console(fd)) return bad_descriptor;
  static_cast<void>(machine::console(text, bytes));
  return static_cast<std::int64_t>(bytes);
}

struct Piece {
  const char* text;
  std::uint64_t bytes;
};

std::int64_t write_pieces(std::uint64_t fd, const Piece* pieces, std::uint64_t count) {
  std::int64_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t put = write(fd, pieces[i].text, pieces[i].bytes);
    if (put < 0) return put;
    total += put;
  }
  return total;
}

// Standard output and error are terminals, so that what is written before a fault is seen.
std::int64_t file_status(std::uint64_t fd, std::uint8_t* out) {
  constexpr std::size_t stat_bytes = 144;
  constexpr std::size_t mode_at = 24;
  constexpr std::uint32_t character_device = 0020620;
  if (!is_console(fd)) return bad_descriptor;
  cpu::zero(out, stat_bytes);
  cpu::copy(out + mode_at, &character_device, sizeof character_device);
  return 0;
}

std::int64_t terminal_control(std::uint64_t fd, std::uint64_t request, void* out) {
  constexpr std::uint64_t get_attributes = 0x5401;
  constexpr std::size_t attributes_bytes = 36;
  if (!is_console(fd)) return bad_descriptor;
  if (request != get_attributes) return not_a_terminal;
  cpu::zero(out, attributes_bytes);
  return 0;
}

std::int64_t time_of(std::uint64_t which, std::int64_t* out) {
  constexpr std::uint64_t second_ns = 1'000'000'000;
  const bool is_wall = which == 0 || which == 5;  // CLOCK_REALTIME, its coarse one
  const std::uint64_t ns = is_wall ? clock::wall_ns() : clock::now_ns();
  out[0] = static_cast<std::int64_t>(ns / second_ns);
  out[1] = static_cast<std::int64_t>(ns % second_ns);
  return 0;
}

std::int64_t seconds(std::int64_t* out) {
  std::int64_t time[2];
  static_cast<void>(time_of(0, time));
  if (out != nullptr) *out = time[0];
  return time[0];
}

std::int64_t limits(std::uint64_t resource, std::uint64_t* out) {
  constexpr std::uint64_t stack = 3;
  constexpr std::uint64_t none = ~std::uint64_t{0};
  if (out != nullptr) out[0] = out[1] = resource == stack ? heap::stack_bytes : none;
  return 0;
}

std::int64_t map_memory(std::uint64_t bytes, std::uint64_t protection, std::uint64_t flags) {
  if ((flags & MAP_ANONYMOUS) == 0 || (protection & PROT_EXEC) != 0) return no_memory;
  const std::uint64_t at = heap::map(bytes);
  return at == 0 ? static_cast<std::int64_t>(no_memory) : static_cast<std::int64_t>(at);
}

std::int64_t protect(std::uint64_t begin, std::uint64_t bytes, std::uint64_t protection) {
  const bool writes = (protection & PROT_WRITE) != 0;
  const bool executes = (protection & PROT_EXEC) != 0;
  if (begin % pages::page_bytes != 0 || (writes && executes)) return invalid;
  const paging::Rights rights = writes            ? paging::Rights::write
                                : executes        ? paging::Rights::execute
                                : protection != 0 ? paging::Rights::read
                                                  : paging::Rights::none;
  return paging::protect(begin, begin + pages::round_up(bytes), rights) ? std::int64_t{0}
                                                                        : no_memory;
}

std::int64_t unknown(std::uint64_t number) {
  constexpr std::uint64_t numbers = 512;
  static std::uint64_t told[numbers / 64];
  const std::uint64_t bit = number % numbers;
  if ((told[bit / 64] >> bit % 64 & 1U) == 0) {
    told[bit / 64] |= std::uint64_t{1} << bit % 64;
    say({"warning: system call ", decimal(number), " is not there\n"});
  }
  return no_such_call;
}

[[noreturn]] void end_by_signal(const Registers& registers, std::uint64_t signal) {
  constexpr std::uint64_t abort_signal = 6;
  if (signal == abort_signal) panic(registers, {"aborted"});
  panic(registers, {"signal ", decimal(signal)});
}

void set_thread_pointer(std::uint64_t address) {
  constexpr std::uint32_t fs_base = 0xc0000100;
  cpu::write_msr(fs_base, address);
}

std::int64_t call(const Registers& r) {
  switch (r.rax) {
    case __NR_write:
      return write(r.rdi, reinterpret_cast<const char*>(r.rsi), r.rdx);
    case __NR_writev:
      return write_pieces(r.rdi, reinterpret_cast<const Piece*>(r.rsi), r.rdx);
    case __NR_brk:
      return static_cast<std::int64_t>(heap::set_break(r.rdi));
    case __NR_mmap:
      return map_memory(r.rsi, r.rdx, r.r10);
    case __NR_munmap:
      heap::unmap(r.rdi, r.rsi);
      return 0;
    case __NR_mremap:
      return no_memory;  // malloc then copies
    case __NR_madvise:
      return 0;
    case __NR_mprotect:
      return protect(r.rdi, r.rsi, r.rdx);
    case __NR_clock_gettime:
      return time_of(r.rdi, reinterpret_cast<std::int64_t*>(r.rsi));
    case __NR_time:
      return seconds(reinterpret_cast<std::int64_t*>(r.rdi));
    case __NR_getrandom:
      random::fill(reinterpret_cast<void*>(r.rdi), r.rsi);
      return static_cast<std::int64_t>(r.rsi);
    case __NR_newfstatat:
    case __NR_fstat:
      return file_status(r.rdi,
                         reinterpret_cast<std::uint8_t*>(r.rax == __NR_fstat ? r.rsi : r.rdx));
    case __NR_ioctl:
      return terminal_control(r.rdi, r.rsi, reinterpret_cast<void*>(r.rdx));
    case __NR_prlimit64:
      return limits(r.rsi, reinterpret_cast<std::uint64_t*>(r.r10));
    case __NR_arch_prctl: {
      constexpr std::uint64_t set_fs = 0x1002;
      if (r.rdi != set_fs) return invalid;
      set_thread_pointer(r.rsi);
      return 0;
    }
    case __NR_getpid:
    case __NR_gettid:
    case __NR_set_tid_address:
      return 1;
    case __NR_set_robust_list:
    case __NR_futex:
    case __NR_rt_sigaction:
    case __NR_rt_sigprocmask:
    case __NR_sigaltstack:
      return 0;
    case __NR_rseq:
      return no_such_call;
    case __NR_open:
    case __NR_openat:
    case __NR_readlink:
    case __NR_readlinkat:
      return no_entry;
    case __NR_kill:
      end_by_signal(r, r.rsi);
    case __NR_tgkill:
      end_by_signal(r, r.rdx);
    case __NR_tkill:
      end_by_signal(r, r.rsi);
    case __NR_exit:
    case __NR_exit_group:
      machine::stop(static_cast<int>(r.rdi & 0xff));
    default:
      return unknown(r.rax);
  }
}

}  // namespace

extern "C" std::int64_t libos_system_call(const Registers* registers) { return call(*registers); }

}  // namespace libos
