// SPDX-License-Identifier: ISC
// config/context.hpp: what every connect is handed first.

#pragma once

#include "config/boot.hpp"

namespace config {

// `Platform` is target::Platform: a connect asks for what it needs by its members' names.
template <class Platform>
struct Context {
  Platform& platform;
  const BootLine& boot;
};

}  // namespace config
