// SPDX-License-Identifier: ISC
#include "net/lwip/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <malloc.h>

#include "net/lwip/port/arch/cc.h"

namespace net::lwip {

void* Memory::allocate(std::size_t bytes) noexcept {
  if (limit_ != unlimited) {
    const std::size_t left = free() + (is_urgent_ ? reserve_bytes : 0);
    if (bytes > left) return nullptr;
  }
  void* memory = std::malloc(bytes);
  if (memory != nullptr) used_ += malloc_usable_size(memory);
  return memory;
}

void Memory::free_again(void* memory) noexcept {
  if (memory != nullptr) used_ -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace net::lwip

extern "C" {

void* crunch_lwip_allocate(size_t bytes) { return net::lwip::Memory::allocate(bytes); }

void* crunch_lwip_allocate_zeroed(size_t count, size_t bytes) {
  void* memory = net::lwip::Memory::allocate(count * bytes);  // lwIP's own numbers
  if (memory != nullptr) std::memset(memory, 0, count * bytes);
  return memory;
}

uint32_t crunch_lwip_reordered_bytes_max() {
  constexpr std::size_t window = 65535;
  return static_cast<uint32_t>(std::min(net::lwip::Memory::fair_share(), window));
}

void crunch_lwip_free(void* memory) { net::lwip::Memory::free_again(memory); }

}  // extern "C"
