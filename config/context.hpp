// SPDX-License-Identifier: ISC
// config/context.hpp: the first argument of every connect function.

#pragma once

#include "config/boot.hpp"
#include "config/shared.hpp"

namespace config {

// `Platform` is target::Platform: a connect asks for what it needs by its members' names.
template <class Platform>
struct Context {
  Platform& platform;
  const BootLine& boot;
  // What the devices of this thread share, and what those of all threads do.
  Shared of_thread{};
  Shared& of_appliance = of_thread;
};

}  // namespace config
