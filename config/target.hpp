// SPDX-License-Identifier: ISC
// config/target.hpp: what a target's header takes from the configuration language: boot keys, the
// boot line, and the key `log-level`, which every target has.
//
// Used by: targets/<target>/target.hpp.   Bare machines add config/machine.hpp.

#pragma once

#include "config/boot.hpp"
#include "config/key.hpp"
#include "config/log_level.hpp"
