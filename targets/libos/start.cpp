// SPDX-License-Identifier: ISC
// From the machine's entry to the C library's: memory, faults, time, random bytes, the first stack.
//
// Source:  the System V ABI for AMD64, section 3.4.1 (the initial stack).

#include <elf.h>

#include "targets/libos/clock.hpp"
#include "targets/libos/cpu.hpp"
#include "targets/libos/heap.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/pages.hpp"
#include "targets/libos/paging.hpp"
#include "targets/libos/random.hpp"
#include "targets/libos/report.hpp"
#include "targets/libos/traps.hpp"

extern "C" {
extern const char __executable_start[];
[[noreturn]] void libos_enter_libc(const std::uint64_t* stack);
void _start();

// The guard page stands right below the stack; paging unmaps it. The words are what a C program
// finds on its stack first: count, arguments, 0, environment, 0, auxiliary vector.
struct Stack {
  alignas(4096) char guard[4096];
  char bytes[libos::heap::stack_bytes];
  std::uint64_t words[512];
};
[[gnu::used]] Stack libos_stack;
}
asm(".globl libos_stack_guard\n.set libos_stack_guard, libos_stack\n"
    ".globl libos_stack_end\n.set libos_stack_end, libos_stack + 4096 + 256 * 1024\n");
static_assert(offsetof(Stack, words) == 4096 + 256 * 1024);

namespace libos {

namespace {

// What glibc, libstdc++ and the site's store and connections take at the very least.
constexpr std::uint64_t memory_bytes_min = std::uint64_t{2} << 20U;
constexpr std::size_t words_max = 256;

Boot the_boot;
std::uint8_t random_bytes[16];

std::uint64_t address(const void* of) { return reinterpret_cast<std::uint64_t>(of); }

// Cuts the command line into words at spaces, in place; "double quotes" keep them together.
class Words {
 public:
  explicit Words(char* text) : at_(text) {}
  // Null: no more.
  const char* next() {
    while (*at_ == ' ' || *at_ == '\t' || *at_ == '\n') ++at_;
    if (*at_ == '\0') return nullptr;
    const char* const word = at_;
    char* to = at_;
    bool quoted = false;
    for (; *at_ != '\0' && (quoted || (*at_ != ' ' && *at_ != '\t' && *at_ != '\n')); ++at_) {
      if (*at_ == '"') {
        quoted = !quoted;
      } else {
        *to++ = *at_;
      }
    }
    if (quoted) refuse({"the command line has a \" without its second"});
    if (*at_ != '\0') ++at_;
    *to = '\0';
    return word;
  }

 private:
  char* at_;
};

class FirstStack {
 public:
  void put(std::uint64_t word) { libos_stack.words[count_++] = word; }
  void put(std::uint64_t type, std::uint64_t value) {
    put(type);
    put(value);
  }

 private:
  std::size_t count_ = 0;
};

void put_auxiliary_vector(FirstStack& stack) {
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(__executable_start);
  stack.put(AT_PHDR, address(__executable_start) + header->e_phoff);
  stack.put(AT_PHENT, sizeof(Elf64_Phdr));
  stack.put(AT_PHNUM, header->e_phnum);
  stack.put(AT_PAGESZ, pages::page_bytes);
  stack.put(AT_BASE, 0);
  stack.put(AT_FLAGS, 0);
  stack.put(AT_ENTRY, reinterpret_cast<std::uint64_t>(&_start));
  stack.put(AT_UID, 0);
  stack.put(AT_EUID, 0);
  stack.put(AT_GID, 0);
  stack.put(AT_EGID, 0);
  stack.put(AT_SECURE, 0);
  stack.put(AT_HWCAP, cpu::cpuid(1).edx);
  stack.put(AT_HWCAP2, 0);
  stack.put(AT_CLKTCK, 100);
  stack.put(AT_RANDOM, address(random_bytes));
  stack.put(AT_PLATFORM, address("x86_64"));
  stack.put(AT_EXECFN, address(machine::name()));
  stack.put(AT_NULL, 0);
}

void put_arguments(FirstStack& stack) {
  if (the_boot.command_line_is_cut) refuse({"the command line is longer than 4095 characters"});
  std::size_t count = 1;
  stack.put(0);
  stack.put(address(machine::name()));
  Words words(the_boot.command_line);
  while (const char* word = words.next()) {
    if (machine::takes_word(word)) continue;
    if (++count == words_max) refuse({"the command line has more than 254 words"});
    stack.put(address(word));
  }
  stack.put(0);
  libos_stack.words[0] = count;
}

}  // namespace

Boot& boot() noexcept { return the_boot; }

void take_command_line(const char* text) noexcept {
  if (text == nullptr) return;
  std::size_t count = 0;
  while (count < Boot::command_line_bytes_max && text[count] != '\0') ++count;
  cpu::copy(the_boot.command_line, text, count);
  the_boot.command_line_bytes = count;
  the_boot.command_line_is_cut = text[count] != '\0';
}

std::uint64_t image_end() noexcept {
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(__executable_start);
  const auto* segments = reinterpret_cast<const Elf64_Phdr*>(__executable_start + header->e_phoff);
  std::uint64_t end = 0;
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const std::uint64_t its_end = segments[i].p_vaddr + segments[i].p_memsz;
    if (segments[i].p_type == PT_LOAD && its_end > end) end = its_end;
  }
  return end;
}

void start() noexcept {
  traps::begin();
  if (!pages::begin(image_end()) || pages::total_bytes() - pages::used_bytes() < memory_bytes_min) {
    refuse({"this machine has ", decimal(pages::total_bytes() >> 10U),
            " KiB of memory; the image alone needs ",
            decimal((image_end() - address(__executable_start) + memory_bytes_min) >> 10U),
            " KiB"});
  }
  paging::begin();
  heap::begin();
  clock::begin();
  random::begin();
  random::fill(random_bytes, sizeof random_bytes);

  FirstStack stack;
  put_arguments(stack);
  stack.put(0);  // no environment: glibc would copy its tunables behind the image's end
  put_auxiliary_vector(stack);
  libos_enter_libc(libos_stack.words);
}

}  // namespace libos
