// SPDX-License-Identifier: ISC
#include "targets/libos/paging.hpp"

#include <elf.h>

#include "targets/libos/cpu.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/pages.hpp"
#include "targets/libos/report.hpp"

extern "C" {
extern const char __executable_start[];
extern const char libos_stack_guard[];
extern const char libos_stack_end[];
}

namespace libos::paging {

namespace {

constexpr std::uint64_t present = 1;
constexpr std::uint64_t writable = 2;
constexpr std::uint64_t uncached = 0x18;  // PCD, PWT
constexpr std::uint64_t large = 0x80;
constexpr std::uint64_t no_execute = std::uint64_t{1} << 63U;
constexpr std::uint64_t address_mask = 0x000ffffffffff000;
constexpr std::uint64_t large_bytes = 0x200000;
constexpr std::uint64_t entries = 512;
constexpr std::uint64_t low_end = 0x100000;

std::uint64_t* root = nullptr;
bool is_live = false;  // the tables are in use: pages may come from anywhere

std::uint64_t bits_of(Rights rights) {
  switch (rights) {
    case Rights::none:
      return 0;
    case Rights::read:
      return present | no_execute;
    case Rights::write:
      return present | writable | no_execute;
    case Rights::execute:
      return present;
    case Rights::device:
      return present | writable | no_execute | uncached;
  }
  return 0;
}

// A zeroed table, or null. Before the tables are in use, only the first 4 GiB can be written to.
std::uint64_t* new_table() {
  const std::uint64_t page = is_live ? pages::take_highest(1) : pages::take_lowest(1);
  if (page != 0) cpu::zero(reinterpret_cast<void*>(page), pages::page_bytes);
  return reinterpret_cast<std::uint64_t*>(page);
}

std::uint64_t* table_of(std::uint64_t entry) {
  return reinterpret_cast<std::uint64_t*>(entry & address_mask);
}

// The table below an entry, made if there is none; one large page becomes 512 small ones.
std::uint64_t* below(std::uint64_t& entry) {
  if ((entry & present) != 0 && (entry & large) == 0) return table_of(entry);
  std::uint64_t* table = new_table();
  if (table == nullptr) return nullptr;
  if ((entry & present) != 0) {
    for (std::uint64_t i = 0; i < entries; ++i) {
      table[i] = (entry & ~large) + i * pages::page_bytes;
    }
  }
  entry = reinterpret_cast<std::uint64_t>(table) | present | writable;
  return table;
}

bool map(std::uint64_t begin, std::uint64_t end, Rights rights) {
  const std::uint64_t bits = bits_of(rights);
  for (std::uint64_t at = begin; at < end;) {
    std::uint64_t* directories = below(root[at >> 39U & 511U]);
    if (directories == nullptr) return false;
    std::uint64_t* directory = below(directories[at >> 30U & 511U]);
    if (directory == nullptr) return false;
    std::uint64_t& entry = directory[at >> 21U & 511U];
    const bool has_small = (entry & present) != 0 && (entry & large) == 0;
    if (at % large_bytes == 0 && end - at >= large_bytes && bits != 0 && !has_small) {
      entry = at | bits | large;
      at += large_bytes;
      continue;
    }
    std::uint64_t* table = below(entry);
    if (table == nullptr) return false;
    table[at >> 12U & 511U] = bits == 0 ? 0 : at | bits;
    at += pages::page_bytes;
  }
  return true;
}

void load() { asm volatile("mov %0, %%cr3" : : "r"(root) : "memory"); }

bool map_image() {
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(__executable_start);
  const auto* segments = reinterpret_cast<const Elf64_Phdr*>(__executable_start + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const Elf64_Phdr& segment = segments[i];
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    const bool writes = (segment.p_flags & PF_W) != 0;
    const bool executes = (segment.p_flags & PF_X) != 0;
    if (writes && executes) refuse({"the image has a segment that is writable and executable"});
    const Rights rights = writes ? Rights::write : executes ? Rights::execute : Rights::read;
    if (!map(segment.p_vaddr / pages::page_bytes * pages::page_bytes,
             pages::round_up(segment.p_vaddr + segment.p_memsz), rights)) {
      return false;
    }
  }
  return true;
}

bool map_all() {
  root = new_table();
  if (root == nullptr) return false;
  const Boot& from = boot();
  for (std::size_t i = 0; i < from.memory_count; ++i) {
    const Range& range = from.memory[i];
    const std::uint64_t begin = range.begin < low_end ? low_end : pages::round_up(range.begin);
    const std::uint64_t end = range.end / pages::page_bytes * pages::page_bytes;
    if (begin < end && !map(begin, end, Rights::write)) return false;
  }
  for (std::size_t i = 0; i < from.shared_count; ++i) {
    if (!map(from.shared[i].begin, from.shared[i].end, Rights::write)) return false;
  }
  const auto guard = reinterpret_cast<std::uint64_t>(libos_stack_guard);
  return map(pages::page_bytes, low_end, Rights::read) && map_image() &&
         map(guard, guard + pages::page_bytes, Rights::none);
}

bool map_and_load(std::uint64_t physical, std::uint64_t bytes, Rights rights) {
  const std::uint64_t begin = physical / pages::page_bytes * pages::page_bytes;
  const bool mapped = map(begin, pages::round_up(physical + bytes), rights);
  load();
  return mapped;
}

}  // namespace

void begin() noexcept {
  if (!map_all()) refuse({"this machine has too little memory for its page tables"});
  load();
  is_live = true;
}

bool map_device(std::uint64_t physical, std::uint64_t bytes) noexcept {
  return map_and_load(physical, bytes, Rights::device);
}

bool map_tables(std::uint64_t physical, std::uint64_t bytes) noexcept {
  return map_and_load(physical, bytes, Rights::read);
}

bool protect(std::uint64_t begin, std::uint64_t end, Rights rights) noexcept {
  const bool mapped = map(begin, end, rights);
  load();
  return mapped;
}

bool is_stack_guard(std::uint64_t address) noexcept {
  return address - reinterpret_cast<std::uint64_t>(libos_stack_guard) < pages::page_bytes;
}

bool is_on_stack(std::uint64_t address) noexcept {
  return address >= reinterpret_cast<std::uint64_t>(libos_stack_guard) + pages::page_bytes &&
         address < reinterpret_cast<std::uint64_t>(libos_stack_end);
}

}  // namespace libos::paging
