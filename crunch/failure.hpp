// SPDX-License-Identifier: ISC
// crunch/failure.hpp: how the tool fails: a sentence that says what, where and what to do.
//
// States:  Failure (exit 1), Usage (exit 2), describing names and errors.   Used by: crunch/*.
// Rule:    only main.cpp catches them; whatever was begun is undone by destructors on the way.

#pragma once

#include <cerrno>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace crunch {

// Something could not be done. The program ends with 1.
class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The command line made no sense. The program ends with 2.
class Usage : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A signal asked the program to end.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal_number)
      : std::runtime_error("interrupted; nothing was changed"), signal_number_(signal_number) {}
  [[nodiscard]] int signal_number() const noexcept { return signal_number_; }

 private:
  int signal_number_;
};

// `name` as a person can read it on one line: in double quotes, control characters, quotes,
// backslashes and bytes that are not UTF-8 as \xNN.
[[nodiscard]] std::string in_quotes(std::string_view name);

// Is `text` well-formed UTF-8 (RFC 3629: shortest forms only, no surrogates, up to U+10FFFF)?
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// "cannot <what> <path>: <the reason of `error`>", and for errors that people meet, what to do.
[[nodiscard]] std::string sentence_of(std::string_view what, std::string_view path, int error);

// Throws a Failure with sentence_of(what, path, error).
[[noreturn]] void fail(std::string_view what, std::string_view path, int error = errno);

// Throws Usage: "unknown <what> <word>; <the nearest, or all there are>".
[[noreturn]] void refuse_word(std::string_view what, std::string_view word,
                              std::span<const std::string_view> known);

}  // namespace crunch
