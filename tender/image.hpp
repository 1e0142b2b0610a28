// SPDX-License-Identifier: ISC
// tender/image.hpp: an image, read strictly: what goes where in the guest's memory.
//
// States:  read_image.   Used by: tender/vm.cpp.
// Owns:    nothing; it is a function of bytes.
// Rule:    the bytes may be anybody's. Whatever they are, the answer is an image whose segments
//          lie in the file and in memory, or a sentence.
// Source:  the ELF rules of Solo5's tenders (elf.c, mft.c), and stricter where it says so.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "solo5/abi.hpp"

namespace tender {

// A part of the image. `begin` and `end` are whole units of its alignment, and no other segment
// lies between them.
struct Segment {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t address = 0;      // of the first byte from the file
  std::uint64_t file_offset = 0;  // these bytes lie in the file
  std::uint64_t file_bytes = 0;   // and end at `end` or before
  bool writes = false;
  bool executes = false;
};

struct Image {
  std::uint64_t entry = 0;  // in a segment that executes
  std::uint64_t kernel_end = 0;
  std::vector<Segment> segments;               // by address
  std::vector<solo5::ManifestEntry> manifest;  // with entry 0; nothing is attached
};

// `memory_bytes`: of the guest, whole memory_unit_bytes. The sentence has no file name in it.
[[nodiscard]] base::Result<Image, std::string> read_image(base::Bytes file,
                                                          std::uint64_t memory_bytes);

}  // namespace tender
