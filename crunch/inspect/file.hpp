// SPDX-License-Identifier: ISC
// crunch/inspect/file.hpp: an ELF file, opened to read its sections.
//
// States:  ElfFile.   Used by: crunch/inspect/{image,graph}.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace crunch::inspect {

class ElfFile {
 public:
  // Throws a Failure if it cannot be read, or is not a file.
  explicit ElfFile(const std::string& path);

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  // As read_section (elf.hpp).
  [[nodiscard]] std::optional<std::string> section(std::string_view name) const;

 private:
  std::string path_;
  base::Descriptor file_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace crunch::inspect
