// SPDX-License-Identifier: ISC
// kv/vault/passage.hpp: a secret's way through a device whose driver may keep a copy of it.
//
// States:  Passage.   Used by: kv/vault/vault.hpp.   May include: block/block.hpp.

#pragma once

#include "block/block.hpp"

namespace kv::vault {

// While it lives a secret moves through the device; then the driver's copies are wiped, also when
// the call fails or is abandoned.
template <block::BlockDevice D>
class Passage {
 public:
  explicit Passage(D& device) noexcept : device_(device) {}
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;
  ~Passage() {
    if constexpr (block::KeepsCopies<D>) device_.wipe_copies();
  }

 private:
  [[maybe_unused]] D& device_;
};

}  // namespace kv::vault
