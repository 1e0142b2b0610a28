// SPDX-License-Identifier: ISC
// A program for a bare machine that does what its command line says: each fault, and what must
// work.
//
// Used by: faults_test.py, which starts it under QEMU.

// Asserts, whatever the build.
#undef NDEBUG
#include <cassert>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "targets/libos/clock.hpp"
#include "targets/libos/pages.hpp"
#include "targets/libos/random.hpp"

namespace {

// Kept from the optimiser, which knows that these faults are faults.
volatile std::uintptr_t zero = 0;

[[gnu::noinline]] int read_null() { return *reinterpret_cast<volatile int*>(zero + 16); }
[[gnu::noinline]] int write_text() {
  *reinterpret_cast<volatile char*>(reinterpret_cast<std::uintptr_t>(&read_null)) = 0;
  return 0;
}
[[gnu::noinline]] int write_constant() {
  static const char constant[] = "this is .rodata";
  *reinterpret_cast<volatile char*>(reinterpret_cast<std::uintptr_t>(constant)) = 0;
  return 0;
}
char code[16] = {'\xc3'};
[[gnu::noinline]] int execute_data() {
  reinterpret_cast<void (*)()>(reinterpret_cast<std::uintptr_t>(code) + zero)();
  return 0;
}
[[gnu::noinline]] int execute_heap() {
  auto* heap = new char[16]{'\xc3'};
  reinterpret_cast<void (*)()>(reinterpret_cast<std::uintptr_t>(heap))();
  return 0;
}
[[gnu::noinline]] int execute_stack() {
  char stack[16] = {'\xc3'};
  reinterpret_cast<void (*)()>(reinterpret_cast<std::uintptr_t>(stack) + zero)();
  return 0;
}
[[gnu::noinline]] int read_nothing() {
  return *reinterpret_cast<volatile int*>(std::uintptr_t{0x7fff00000000});
}
[[gnu::noinline]] int overflow_stack(int depth) {  // NOLINT(misc-no-recursion)
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  if (zero != 0) return 0;  // never
  return overflow_stack(depth + 1) + frame[0];
}
[[gnu::noinline]] int divide() {
  volatile int many = 10;
  volatile int none = 0;
  return many / none;
}
[[gnu::noinline]] int undefined_instruction() {
  asm volatile("ud2");
  return 0;
}
[[gnu::noinline]] int exhaust() {
  std::vector<std::string> all;
  for (;;) all.emplace_back(100'000, 'x');
}
[[gnu::noinline]] int throw_uncaught() { throw std::runtime_error("nobody catches this"); }

int fail(const char* what) {
  std::printf("FAILED: %s\n", what);
  return 1;
}

// Memory comes zeroed, goes back, and ends in an expected error.
int memory() {
  std::uint64_t before = 0;
  for (int round = 0; round < 20; ++round) {
    if (round == 2) before = libos::pages::used_bytes();  // malloc keeps what it likes by then
    void* block = std::calloc(1, 1 << 20);
    if (block == nullptr) return fail("calloc of 1 MiB");
    for (int i = 0; i < 1 << 20; ++i) {
      if (static_cast<char*>(block)[i] != 0) return fail("calloc is not zeroed");
    }
    std::memset(block, 0xff, 1 << 20);
    std::free(block);
    std::vector<std::string> small(1000, std::string(300, 'y'));
  }
  if (libos::pages::used_bytes() > before) return fail("memory does not come back");
  if (std::malloc(std::size_t{1} << 40) != nullptr) return fail("malloc of 1 TiB");
  std::vector<void*> all;
  while (void* block = std::malloc(60'000)) all.push_back(block);
  if (errno != ENOMEM) return fail("errno of exhausted memory");
  if (libos::pages::used_bytes() + (1 << 20) < libos::pages::total_bytes()) {
    return fail("memory ends early");
  }
  for (void* block : all) std::free(block);
  try {
    std::string s(std::size_t{1} << 40, 'z');
    return fail("1 TiB of string");
  } catch (const std::bad_alloc&) {
  }
  return std::printf("memory is well\n") > 0 ? 0 : 1;
}

int pages_have_rights() {
  void* page = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return fail("mmap");
  if (mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0) return fail("W and X");
  if (mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
      MAP_FAILED) {
    return fail("mmap of X");
  }
  *static_cast<char*>(page) = 1;
  if (mprotect(page, 4096, PROT_READ) != 0) return fail("mprotect");
  std::printf("now a write to a page that mprotect made read-only\n");
  *static_cast<volatile char*>(page) = 2;
  return fail("it was written");
}

int clocks() {
  timespec first{};
  timespec second{};
  clock_gettime(CLOCK_MONOTONIC, &first);
  const std::uint64_t begin = libos::clock::now_ns();
  while (libos::clock::now_ns() - begin < 5'000'000) {
  }
  clock_gettime(CLOCK_MONOTONIC, &second);
  const auto ms =
      (second.tv_sec - first.tv_sec) * 1000 + (second.tv_nsec - first.tv_nsec) / 1'000'000;
  if (ms < 5) return fail("the monotonic clock");
  std::printf("date %lld\n", static_cast<long long>(std::time(nullptr)));
  return 0;
}

int vectors() {
  // Doubles through system calls and exceptions: no register is lost.
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    sum += std::sqrt(static_cast<double>(i));
    static_cast<void>(syscall(SYS_getpid));
  }
  std::map<std::string, double> roots;
  for (int i = 0; i < 1000; ++i) roots[std::to_string(i)] = std::sqrt(static_cast<double>(i));
  double again = 0;
  for (int i = 0; i < 1000; ++i) again += roots[std::to_string(i)];
  int caught = 0;
  for (int i = 0; i < 100; ++i) {
    try {
      static_cast<void>(throw_uncaught());
    } catch (const std::runtime_error&) {
      ++caught;
    }
  }
  if (sum != again || caught != 100) return fail("sums or exceptions");
  std::printf("sum %d\n", static_cast<int>(sum));
  return 0;
}

int random_bytes() {
  std::uint8_t a[64];
  std::uint8_t b[64];
  libos::random::fill(a, sizeof a);
  libos::random::fill(b, sizeof b);
  if (std::memcmp(a, b, sizeof a) == 0) return fail("random bytes repeat");
  std::printf("seeded %d\n", libos::random::is_seeded() ? 1 : 0);
  return 0;
}

int say_arguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) std::printf("argument <%s>\n", argv[i]);
  return 0;
}

int unknown_call() {
  for (int i = 0; i < 3; ++i) {
    if (syscall(SYS_socket, 1, 2, 3) != -1 || errno != ENOSYS) return fail("socket");
  }
  return 0;
}

int say_error() {
  const std::string text = std::strerror(ENOENT);
  return text == "No such file or directory" ? 0 : fail(text.c_str());
}

struct Action {
  std::string_view name;
  int (*run)();
};

constexpr Action actions[] = {
    {"null", read_null},
    {"write-text", write_text},
    {"write-constant", write_constant},
    {"execute-data", execute_data},
    {"execute-heap", execute_heap},
    {"execute-stack", execute_stack},
    {"read-nothing", read_nothing},
    {"overflow", [] { return overflow_stack(0); }},
    {"divide", divide},
    {"undefined", undefined_instruction},
    {"exhaust", exhaust},
    {"throw", throw_uncaught},
    {"abort",
     [] {
       std::abort();
       return 0;
     }},
    {"assert",
     [] {
       assert(zero == 1);
       return 0;
     }},
    {"exit",
     [] {
       std::exit(3);
       return 0;
     }},
    {"memory", memory},
    {"protect", pages_have_rights},
    {"clocks", clocks},
    {"vectors", vectors},
    {"random", random_bytes},
    {"unknown-call", unknown_call},
    {"message", say_error},
};

}  // namespace

void begin_machine();  // each target's own

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  begin_machine();
  std::printf("probe %s\n", argc > 1 ? argv[1] : "");
  for (const Action& action : actions) {
    if (action.name != name) continue;
    const volatile int status = action.run();  // no tail call: main stays in backtraces
    return status;
  }
  return say_arguments(argc, argv);
}
