// SPDX-License-Identifier: ISC
#include "targets/libos/pages.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/libos/machine.hpp"

namespace libos::pages {

namespace {

constexpr std::uint64_t low_end = 0x100000;  // below it are the firmware's things
constexpr std::uint64_t word_bits = 64;

std::uint64_t* bitmap = nullptr;  // a set bit: taken, or no RAM
std::uint64_t page_count = 0;     // pages that the bitmap has, from address 0
std::uint64_t ram_pages = 0;
std::uint64_t used_pages = 0;
std::uint64_t used_pages_most = 0;
// No page from here on is free; none below lowest_free is.
std::uint64_t highest_free_end = 0;
std::uint64_t lowest_free = 0;

bool is_taken(std::uint64_t page) {
  return (bitmap[page / word_bits] >> page % word_bits & 1U) != 0;
}
void set(std::uint64_t page) { bitmap[page / word_bits] |= std::uint64_t{1} << page % word_bits; }
void clear(std::uint64_t page) {
  bitmap[page / word_bits] &= ~(std::uint64_t{1} << page % word_bits);
}

void mark_taken(std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t page = first; page < first + count; ++page) set(page);
  used_pages += count;
  if (used_pages > used_pages_most) used_pages_most = used_pages;
}

Range usable(const Range& range, std::uint64_t begin) {
  Range out;
  out.begin = round_up(range.begin > begin ? range.begin : begin);
  out.end = range.end / page_bytes * page_bytes;
  if (out.end < out.begin) out.end = out.begin;
  return out;
}

}  // namespace

bool begin(std::uint64_t begin) noexcept {
  Boot& from = boot();
  std::uint64_t top_address = 0;
  for (std::size_t i = 0; i < from.memory_count; ++i) {
    const Range all = usable(from.memory[i], low_end);
    ram_pages += (all.end - all.begin) / page_bytes;
    if (all.end > top_address) top_address = all.end;
  }
  page_count = top_address / page_bytes;
  const std::uint64_t bitmap_bytes = round_up(page_count, word_bits) / 8;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < from.memory_count && at == 0; ++i) {
    const Range free = usable(from.memory[i], begin);
    if (free.end - free.begin >= round_up(bitmap_bytes)) at = free.begin;
  }
  if (at == 0) return false;
  bitmap = reinterpret_cast<std::uint64_t*>(at);
  for (std::uint64_t i = 0; i < bitmap_bytes / 8; ++i) bitmap[i] = ~std::uint64_t{0};
  std::uint64_t free_pages = 0;
  for (std::size_t i = 0; i < from.memory_count; ++i) {
    const Range free = usable(from.memory[i], begin);
    for (std::uint64_t page = free.begin / page_bytes; page < free.end / page_bytes; ++page) {
      clear(page);
      ++free_pages;
    }
  }
  used_pages = ram_pages - free_pages;
  highest_free_end = page_count;
  lowest_free = 0;
  mark_taken(at / page_bytes, round_up(bitmap_bytes) / page_bytes);
  return true;
}

std::uint64_t top() noexcept { return page_count * page_bytes; }
std::uint64_t used_bytes() noexcept { return used_pages * page_bytes; }
std::uint64_t total_bytes() noexcept { return ram_pages * page_bytes; }
std::uint64_t used_bytes_most() noexcept { return used_pages_most * page_bytes; }

std::uint64_t take_highest(std::uint64_t count) noexcept {
  if (count == 0 || count > page_count) return 0;
  while (highest_free_end > 0 && is_taken(highest_free_end - 1)) --highest_free_end;
  std::uint64_t run = 0;
  for (std::uint64_t page = highest_free_end; page > 0;) {
    --page;
    if (page % word_bits == word_bits - 1 && bitmap[page / word_bits] == ~std::uint64_t{0}) {
      page -= word_bits - 1;
      run = 0;
      continue;
    }
    run = is_taken(page) ? 0 : run + 1;
    if (run == count) {
      mark_taken(page, count);
      return page * page_bytes;
    }
  }
  return 0;
}

std::uint64_t take_lowest(std::uint64_t count) noexcept {
  while (lowest_free < page_count && is_taken(lowest_free)) ++lowest_free;
  std::uint64_t run = 0;
  for (std::uint64_t page = lowest_free; page < page_count; ++page) {
    run = is_taken(page) ? 0 : run + 1;
    if (run == count) {
      const std::uint64_t first = page + 1 - count;
      mark_taken(first, count);
      return first * page_bytes;
    }
  }
  return 0;
}

bool take(std::uint64_t address, std::uint64_t count) noexcept {
  const std::uint64_t first = address / page_bytes;
  if (first > page_count || count > page_count - first) return false;
  for (std::uint64_t page = first; page < first + count; ++page) {
    if (is_taken(page)) return false;
  }
  mark_taken(first, count);
  return true;
}

void give_back(std::uint64_t address, std::uint64_t count) noexcept {
  const std::uint64_t first = address / page_bytes;
  for (std::uint64_t page = first; page < first + count && page < page_count; ++page) {
    if (!is_taken(page)) continue;
    clear(page);
    --used_pages;
    if (page < lowest_free) lowest_free = page;
    if (page >= highest_free_end) highest_free_end = page + 1;
  }
}

}  // namespace libos::pages
