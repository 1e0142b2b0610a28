// SPDX-License-Identifier: ISC
// What the PVH ABI's start info says, copied before the memory that it lies in is used.
//
// Source:  xen/arch-x86/hvm/start_info.h.

#include "targets/libos/machine.hpp"
#include "targets/libos/report.hpp"

namespace {

struct StartInfo {
  std::uint32_t magic, version, flags, module_count;
  std::uint64_t modules, command_line, rsdp, memory_map;
  std::uint32_t memory_map_count, reserved;
};
static_assert(sizeof(StartInfo) == 56);
constexpr std::uint32_t start_info_magic = 0x336ec578;

struct MemoryMapEntry {
  std::uint64_t address, bytes;
  std::uint32_t type, reserved;
};
static_assert(sizeof(MemoryMapEntry) == 24);
constexpr std::uint32_t type_ram = 1;

}  // namespace

extern "C" [[noreturn]] void libos_pvh_start(const StartInfo* info) {
  libos::machine::begin();
  if (info->magic != start_info_magic || info->version < 1 || info->memory_map == 0) {
    libos::refuse({"this machine does not start by the PVH ABI, version 1"});
  }
  libos::Boot& boot = libos::boot();
  const auto* map = reinterpret_cast<const MemoryMapEntry*>(info->memory_map);
  for (std::uint32_t i = 0; i < info->memory_map_count; ++i) {
    if (map[i].type != type_ram || boot.memory_count == libos::Boot::ranges_max) continue;
    boot.memory[boot.memory_count].begin = map[i].address;
    boot.memory[boot.memory_count].end = map[i].address + map[i].bytes;
    ++boot.memory_count;
  }
  libos::take_command_line(reinterpret_cast<const char*>(info->command_line));
  boot.acpi_root = info->rsdp;
  libos::start();
}
