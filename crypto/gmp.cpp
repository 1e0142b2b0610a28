// SPDX-License-Identifier: ISC
#include "crypto/gmp.hpp"

#include <cstring>

#include "base/check.hpp"
#include "crypto/secret.hpp"

namespace crypto {
namespace {

thread_local Arena* current = nullptr;

constexpr std::size_t whole_steps(std::size_t size, std::size_t step) {
  return (size + step - 1) / step * step;
}

}  // namespace

Arena::Arena() {
  static const bool taken = [] {
    mp_set_memory_functions(allocate, resize, release);
    return true;
  }();
  static_cast<void>(taken);
  CHECK(current == nullptr);
  current = this;
}

Arena::~Arena() {
  base::wipe(std::span(bytes_).first(used_max_));
  current = nullptr;
}

void* Arena::allocate(std::size_t size) {
  CHECK(current != nullptr);
  Arena& arena = *current;
  CHECK(size <= arena.bytes_.size() - arena.used_);
  std::byte* const at = arena.bytes_.data() + arena.used_;
  arena.used_ += std::min(whole_steps(size, step), arena.bytes_.size() - arena.used_);
  arena.used_max_ = std::max(arena.used_max_, arena.used_);
  return at;
}

// The newest goes back at once; others when the operation is over.
void Arena::release(void* at, std::size_t size) {
  const auto place = static_cast<std::size_t>(static_cast<std::byte*>(at) - current->bytes_.data());
  if (place + whole_steps(size, step) == current->used_) current->used_ = place;
}

void* Arena::resize(void* at, std::size_t old_size, std::size_t size) {
  void* const moved = allocate(size);
  std::memcpy(moved, at, std::min(old_size, size));
  return moved;
}

}  // namespace crypto
