// SPDX-License-Identifier: ISC
// crunch/build/symbols.hpp: the names of an image's functions, for backtraces of machines that have
// nobody else to ask.
//
// Method:  the image is linked once with its symbols, these are written as a table, and it is
//          linked again with the table and without them. Code lies before constants, so it stays
//          where it was; code_of tells whether it did.
// Format:  little-endian u32s: the count; for each function, by address, the address and where its
//          name stands behind the beginning of the table; last an entry behind all code. Then the
//          names, zero-terminated, without parameters and template arguments.
//          (targets/libos/backtrace.cpp)

#pragma once

#include <cstdint>
#include <string>

namespace crunch::build {

// Where the executable segment of an image lies.
struct Code {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Code&) const = default;
};

// A Failure if the file is no ELF file with symbols.
[[nodiscard]] std::string symbol_table_of(const std::string& image);
[[nodiscard]] Code code_of(const std::string& image);

// "http::Server::run" of "http::Server<kv::Store>::run(int) const".
[[nodiscard]] std::string short_name(const std::string& demangled);

}  // namespace crunch::build
