// SPDX-License-Identifier: ISC
// targets/unix/entropy.hpp: the kernel's random bytes.
//
// Models:  base::Entropy.   Source: getrandom(2).

#pragma once

#include "base/entropy.hpp"

namespace unix_target {

class Entropy final : public base::Entropy {
 public:
  // Waits until the kernel has gathered enough (early in a machine's start); throws
  // std::system_error when it has no getrandom at all, so that nothing starts on weak bytes.
  Entropy();
  void fill(base::MutableBytes out) noexcept override;
};

}  // namespace unix_target
