// SPDX-License-Identifier: ISC
// tests/tender/image_fuzz.cpp: any bytes as an image.
//
// Held:  what is taken lies in the file and in memory, in order, and can be laid out; what is not
//        has a sentence of one line.

#include "base/check.hpp"
#include "tender/layout.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t memory_bytes = 4U << 20U;
  const base::Bytes file = std::as_bytes(std::span(data, size));
  const auto image = tender::read_image(file, memory_bytes);
  if (!image) {
    CHECK(!image.error().empty());
    CHECK(image.error().find('\n') == std::string::npos);
    return 0;
  }
  std::uint64_t last = solo5::load_address_min;
  bool enters = false;
  for (const tender::Segment& segment : image->segments) {
    CHECK(segment.begin >= last);
    CHECK(segment.begin <= segment.address);
    CHECK(segment.file_bytes <= size);
    CHECK(segment.file_offset <= size - segment.file_bytes);
    CHECK(segment.address + segment.file_bytes <= segment.end);
    CHECK(segment.end <= memory_bytes);
    CHECK(!segment.writes || !segment.executes);
    enters = enters || (image->entry >= segment.begin && image->entry < segment.end);
    last = segment.end;
  }
  CHECK(enters);
  CHECK(!image->manifest.empty());
  CHECK(image->manifest.size() <= solo5::manifest_entries_max);
  static std::vector<std::byte>& memory = *new std::vector<std::byte>(memory_bytes);
  lay_out(memory, *image, file, image->manifest, "", 1, 0);
  return 0;
}
