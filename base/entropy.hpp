// SPDX-License-Identifier: ISC
// base/entropy.hpp: unpredictable bytes, as a target gives them.
//
// Law: a target that cannot give cryptographically strong bytes refuses to start; `fill` never
// fails.

#pragma once

#include "base/bytes.hpp"

namespace base {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(MutableBytes out) noexcept = 0;
};

}  // namespace base
