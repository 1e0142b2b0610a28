// SPDX-License-Identifier: ISC
// http/h2/blocks.hpp: the memory of one session of nghttp2, which can be freed without it.
//
// States:      Blocks.   Used by: http/h2/session.
// Why:         nghttp2 1.52 frees some things twice after an allocation has failed: an item of DATA
//              for which its queue has no room is freed by its caller and again with its stream.
//              So from the first failure on nothing is freed before the end, and then everything
//              is, from our own list: nghttp2 is not asked to.
// Memory:      what malloc gives, less what the Allowance does not; 16 bytes of each are ours.
// May include: std, http/h2/budget.hpp.

#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "http/h2/budget.hpp"

namespace http::h2 {

class Blocks {
 public:
  explicit Blocks(Allowance& allowance) noexcept : allowance_(allowance) {}
  ~Blocks() {
    for (Block* each = all_.after; each != &all_;) {
      Block* const block = each;
      each = each->after;
      allowance_.give(malloc_usable_size(block));
      std::free(block);
    }
  }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  // An allocation has failed: the session is not to be used any more, nor deleted.
  [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }

  // Null: there is no memory.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept {
    void* memory = bytes <= bytes_max ? std::malloc(sizeof(Block) + bytes) : nullptr;
    if (memory == nullptr || !allowance_.take(malloc_usable_size(memory))) {
      std::free(memory);
      has_failed_ = true;
      return nullptr;
    }
    auto* block = static_cast<Block*>(memory);
    *block = {all_.before, &all_};
    block->before->after = block;
    all_.before = block;
    return block + 1;
  }
  [[nodiscard]] void* allocate_zeros(std::size_t count, std::size_t bytes) noexcept {
    const bool is_too_much = bytes != 0 && count > bytes_max / bytes;
    void* memory = allocate(is_too_much ? bytes_max + 1 : count * bytes);
    if (memory != nullptr) std::memset(memory, 0, count * bytes);
    return memory;
  }
  [[nodiscard]] void* reallocate(void* memory, std::size_t bytes) noexcept {
    if (memory == nullptr) return allocate(bytes);
    const std::size_t before = malloc_usable_size(block_of(memory)) - sizeof(Block);
    if (bytes <= before && bytes >= before / 2) return memory;
    void* moved = allocate(bytes);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, memory, before < bytes ? before : bytes);
    release(memory);
    return moved;
  }
  void release(void* memory) noexcept {
    if (memory != nullptr && !has_failed_) end(*block_of(memory));
  }

 private:
  struct alignas(std::max_align_t) Block {
    Block* before;
    Block* after;
  };
  static constexpr std::size_t bytes_max = std::size_t{1} << 30U;

  static Block* block_of(void* memory) noexcept { return static_cast<Block*>(memory) - 1; }
  void end(Block& block) noexcept {
    block.before->after = block.after;
    block.after->before = block.before;
    allowance_.give(malloc_usable_size(&block));
    std::free(&block);
  }

  Allowance& allowance_;
  Block all_{&all_, &all_};  // the head of a circular list
  bool has_failed_ = false;
};

}  // namespace http::h2
