// SPDX-License-Identifier: ISC
// crunch/inspect/elf.hpp: reads sections of an ELF file, which may be malformed.
//
// States:  ReadAt, Section, find_section, read_section.   Used by: crunch/inspect.
// Source:  the System V ABI, chapter 4; 64-bit little-endian files only.
// Bounds:  at most 65,535 sections; every offset and size is checked against the file's before it
//          is used; a section that is asked for has at most section_bytes_max.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace crunch::inspect {

inline constexpr std::uint64_t section_bytes_max = std::uint64_t{4} << 30U;

// Fills the span from the offset on, as far as the file goes; answers how far.
using ReadAt = std::function<std::size_t(std::uint64_t offset, base::MutableBytes out)>;

// Where a section's bytes are in the file.
struct Section {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

// Where the section called `name` is; nothing and Failures as below.
[[nodiscard]] std::optional<Section> find_section(const ReadAt& read, std::uint64_t file_bytes,
                                                  std::string_view name, const std::string& path);

// The section called `name`; nothing if the file has none. Throws a Failure that begins with
// `path` if it is no such ELF file, or is damaged.
[[nodiscard]] std::optional<std::string> read_section(const ReadAt& read, std::uint64_t file_bytes,
                                                      std::string_view name,
                                                      const std::string& path);

}  // namespace crunch::inspect
