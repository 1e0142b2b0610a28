// SPDX-License-Identifier: ISC
#include "tender/layout.hpp"

#include <cstring>

#include "base/check.hpp"

namespace tender {

namespace {

constexpr std::uint64_t pdpt_address = 0x3000;
constexpr std::uint64_t directories_address = 0x4000;
constexpr std::uint64_t table_address = 0x8000;
constexpr std::uint64_t page_bytes = 0x1000;
constexpr std::uint64_t entries = 512;
constexpr std::uint64_t present = 1;
constexpr std::uint64_t writable = 2;
constexpr std::uint64_t large = 0x80;

void put(base::MutableBytes memory, std::uint64_t at, std::uint64_t word) {
  CHECK(at + sizeof word <= memory.size());
  std::memcpy(memory.data() + at, &word, sizeof word);
}

void put_gdt(base::MutableBytes memory) {
  put(memory, gdt_address + 8, 0x00af9b000000ffff);   // 8: 64-bit code
  put(memory, gdt_address + 16, 0x00cf93000000ffff);  // 16: data
}

void put_tables(base::MutableBytes memory) {
  put(memory, pml4_address, pdpt_address | present | writable);
  const std::uint64_t units = memory.size() / solo5::memory_unit_bytes;
  for (std::uint64_t i = 0; i * entries < units; ++i) {
    put(memory, pdpt_address + 8 * i, (directories_address + page_bytes * i) | present | writable);
  }
  put(memory, directories_address, table_address | present | writable);
  for (std::uint64_t i = 1; i < units; ++i) {
    put(memory, directories_address + 8 * i,
        i * solo5::memory_unit_bytes | present | writable | large);
  }
  for (std::uint64_t at = boot_info_address; at < solo5::memory_unit_bytes; at += page_bytes) {
    const std::uint64_t rights = at < solo5::load_address_min ? present : present | writable;
    put(memory, table_address + 8 * (at / page_bytes), at | rights);
  }
}

}  // namespace

// As Solo5's tender has it: at the top, on whole pages, above the first 2 MiB.
std::uint64_t ring_place(std::uint64_t memory_bytes) noexcept {
  if (memory_bytes < solo5::memory_unit_bytes + sizeof(solo5::Ring)) return 0;
  const std::uint64_t at = (memory_bytes - sizeof(solo5::Ring)) / page_bytes * page_bytes;
  return at < solo5::memory_unit_bytes ? 0 : at;
}

void lay_out(base::MutableBytes memory, const Image& image, base::Bytes file,
             std::span<const solo5::ManifestEntry> manifest, std::string_view command_line,
             std::uint64_t tsc_hz, std::uint64_t ring_at) {
  CHECK(memory.size() % solo5::memory_unit_bytes == 0);
  CHECK(memory.size() <= solo5::memory_bytes_max);
  CHECK(command_line.size() <= solo5::command_line_bytes_max);
  CHECK(manifest.size() <= solo5::manifest_entries_max);
  const std::uint64_t guest_bytes = ring_at == 0 ? memory.size() : ring_at;
  for (const Segment& segment : image.segments) {
    const base::Bytes from = file.subspan(segment.file_offset, segment.file_bytes);
    CHECK(segment.address + from.size() <= guest_bytes);
    std::memcpy(memory.data() + segment.address, from.data(), from.size());
  }
  put_gdt(memory);
  put_tables(memory);
  solo5::BootInfo info{};
  info.memory_bytes = guest_bytes;
  info.kernel_end = image.kernel_end;
  info.tsc_hz = tsc_hz;
  info.command_line = boot_info_address + sizeof info;
  info.manifest = info.command_line + solo5::command_line_bytes_max + 1;
  if (ring_at != 0) {
    info.host_features = solo5::feature_ring;
    info.net_ring = ring_at;
  }
  static_assert((boot_info_address + sizeof info + solo5::command_line_bytes_max + 1) % 8 == 0);
  std::memcpy(memory.data() + boot_info_address, &info, sizeof info);
  std::memcpy(memory.data() + info.command_line, command_line.data(), command_line.size());
  const solo5::ManifestHeader head{solo5::manifest_version,
                                   static_cast<std::uint32_t>(manifest.size())};
  std::memcpy(memory.data() + info.manifest, &head, sizeof head);
  std::memcpy(memory.data() + info.manifest + sizeof head, manifest.data(), manifest.size_bytes());
}

}  // namespace tender
