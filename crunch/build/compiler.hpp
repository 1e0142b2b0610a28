// SPDX-License-Identifier: ISC
// crunch/build/compiler.hpp: the C++ compiler of the machine that crunch runs on.
//
// States:  Compiler.   Used by: crunch/build.

#pragma once

#include <string>
#include <vector>

namespace crunch::build {

// The oldest that know enough C++20 for crunch's headers.
inline constexpr int gcc_major_min = 12;
inline constexpr int clang_major_min = 14;

class Compiler {
 public:
  // $CXX if it is set, else the first that is there and new enough of g++, c++, clang++ and their
  // numbered names. Throws a Failure that says what to install.
  static Compiler find();

  // The words that a call of it begins with.
  [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }
  // What it is: a call with the same words and the same identity makes the same output.
  [[nodiscard]] const std::string& identity() const noexcept { return identity_; }
  // Its word for: end at the first error, with what explains it. The output is the same.
  [[nodiscard]] const char* first_error_only() const noexcept {
    return is_clang_ ? "-Wfatal-errors" : "-fmax-errors=1";
  }

 private:
  std::vector<std::string> words_;
  bool is_clang_ = false;
  std::string identity_;
};

}  // namespace crunch::build
