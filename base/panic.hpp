// SPDX-License-Identifier: ISC
// base/panic.hpp: where panic() of base/check.hpp writes its line.
//
// Used by: targets.

#pragma once

#include <string_view>

namespace base {

// By default standard error, which may block; a target sets it at its start. The process ends when
// it returns.
extern void (*tell_panic)(std::string_view line) noexcept;

}  // namespace base
