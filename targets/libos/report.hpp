// SPDX-License-Identifier: ISC
// targets/libos/report.hpp: last words: why a machine does not start, or stops.
//
// States:  Word, say, refuse, panic.   Used by: libos and bare targets, at any time: nothing here
//          needs the C library, but for the backtrace.

#pragma once

#include <cstdint>
#include <initializer_list>

#include "targets/libos/registers.hpp"

namespace libos {

// A piece of a line: text, or a number.
struct Word {
  enum class Kind : std::uint8_t { text, decimal, hex };

  constexpr Word(const char* words) noexcept
      : text(words) {}  // NOLINT(google-explicit-constructor)
  constexpr Word(Kind how, std::uint64_t value) noexcept : kind(how), number(value) {}

  Kind kind = Kind::text;
  const char* text = nullptr;
  std::uint64_t number = 0;
};
constexpr Word decimal(std::uint64_t value) noexcept { return {Word::Kind::decimal, value}; }
// Sixteen digits.
constexpr Word hex(std::uint64_t value) noexcept { return {Word::Kind::hex, value}; }

// Writes the words to the console; no newline is added.
void say(std::initializer_list<Word> words) noexcept;

// "error: ...", and the machine ends with status 1: it, or what it was told, will not do.
[[noreturn]] void refuse(std::initializer_list<Word> why) noexcept;

// "panic: ...", the registers, a backtrace, and the machine ends with panic_status.
[[noreturn]] void panic(const Registers& registers, std::initializer_list<Word> why) noexcept;

}  // namespace libos
