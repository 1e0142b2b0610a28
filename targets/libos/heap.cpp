// SPDX-License-Identifier: ISC
#include "targets/libos/heap.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/libos/pages.hpp"

namespace libos::heap {

namespace {

std::uint64_t area_begin = 0;
std::uint64_t area_break = 0;
std::uint64_t area_end = 0;  // whole pages

}  // namespace

void begin() noexcept {
  // Only to learn where it is.
  area_begin = pages::take_lowest(1);
  pages::give_back(area_begin, 1);
  area_break = area_end = area_begin;
}

std::uint64_t set_break(std::uint64_t wanted) noexcept {
  if (wanted < area_begin || area_begin == 0) return area_break;
  const std::uint64_t end = pages::round_up(wanted);
  if (end > area_end) {
    const std::uint64_t more = end - area_end;
    if (!pages::take(area_end, more / pages::page_bytes)) return area_break;
    cpu::zero(reinterpret_cast<void*>(area_end), more);
  } else if (end < area_end) {
    pages::give_back(end, (area_end - end) / pages::page_bytes);
  }
  // What lies behind the break in its page is zero when it is had again.
  if (wanted < area_break && end > wanted) {
    const std::uint64_t stale_end = end < area_break ? end : area_break;
    cpu::zero(reinterpret_cast<void*>(wanted), stale_end - wanted);
  }
  area_end = end;
  area_break = wanted;
  return area_break;
}

std::uint64_t map(std::uint64_t bytes) noexcept {
  if (bytes == 0 || bytes > pages::total_bytes()) return 0;
  const std::uint64_t count = pages::round_up(bytes) / pages::page_bytes;
  const std::uint64_t at = pages::take_highest(count);
  if (at != 0) cpu::zero(reinterpret_cast<void*>(at), count * pages::page_bytes);
  return at;
}

void unmap(std::uint64_t at, std::uint64_t bytes) noexcept {
  pages::give_back(at, pages::round_up(bytes) / pages::page_bytes);
}

}  // namespace libos::heap
