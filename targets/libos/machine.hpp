// SPDX-License-Identifier: ISC
// targets/libos/machine.hpp: what libos asks of the machine that it runs on, and is told by it.
//
// States:  Boot, start, and libos::machine, the functions that a bare target has to define.
// Models:  machine.cpp of each bare target.
// Rule:    the functions in libos::machine are called before the C library has started and from
//          inside system calls: they use no vector registers and nothing of the C library.

#pragma once

#include <cstddef>
#include <cstdint>

namespace libos {

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // behind the last byte
};

// What the machine said at its start; kept by libos for good.
struct Boot {
  static constexpr std::size_t ranges_max = 32;
  static constexpr std::size_t shared_max = 4;
  static constexpr std::size_t command_line_bytes_max = 4095;

  Range memory[ranges_max] = {};  // RAM that is free to use
  std::size_t memory_count = 0;
  // Pages that the host shares with the machine outside its RAM: machine::begin names them, and
  // they stay reachable, writable.
  Range shared[shared_max] = {};
  std::size_t shared_count = 0;
  char command_line[command_line_bytes_max + 1] = {};
  std::size_t command_line_bytes = 0;
  bool command_line_is_cut = false;
  std::uint64_t acpi_root = 0;  // physical address of the RSDP; 0: none
};

// The one that this machine was started with.
[[nodiscard]] Boot& boot() noexcept;
// Copies it into boot(). `text` ends with a zero; null: there is none.
void take_command_line(const char* text) noexcept;

// Behind the last byte of the image in memory, as its program headers say: a linker's _end is not
// behind content that was put there afterwards (crunch/build/appended.hpp).
[[nodiscard]] std::uint64_t image_end() noexcept;

// Brings the machine up and enters the C library, which calls main. `boot()` is filled in.
[[noreturn]] void start() noexcept;

// What a machine ends with when a panic or a fault ended it.
inline constexpr int panic_status = 70;

namespace machine {

// The program's name, argv[0].
[[nodiscard]] const char* name() noexcept;
// Before anything else: afterwards console() works.
void begin() noexcept;
// Writes all of it; false: the medium did not take the rest in time.
bool console(const char* text, std::size_t bytes) noexcept;
// Ends the machine with this status, as far as the machine can say one.
[[noreturn]] void stop(int status) noexcept;
// How fast the time stamp counter counts. Called once, after memory is up.
[[nodiscard]] std::uint64_t tsc_hz() noexcept;
// Nanoseconds since 1970-01-01 UTC; 0: this machine does not know.
[[nodiscard]] std::uint64_t wall_ns() noexcept;
// An interrupt came; they are off.
void interrupt(unsigned vector) noexcept;
// Whether a word of the command line is for the machine itself and is kept from main.
[[nodiscard]] bool takes_word(const char* word) noexcept;

}  // namespace machine
}  // namespace libos
