// SPDX-License-Identifier: ISC
// crunch/config/parts.hpp: where configurations found the ready-made parts until version 0.1. It
// will go in the next version: include config/parts/parts.hpp, and write `config` for
// `crunch::config`.

#pragma once

#warning include "config/parts/parts.hpp" and write config for crunch::config

#include "config/parts/parts.hpp"

namespace crunch {
namespace config = ::config;
}  // namespace crunch
