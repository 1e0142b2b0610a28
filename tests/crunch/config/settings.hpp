// SPDX-License-Identifier: ISC
// tests/crunch/config/settings.hpp: what `crunch build` would have written, for choice_test.cpp.

#pragma once

#include "crunch/config/setting.hpp"

namespace crunch::config {
inline constexpr Setting build_settings[] = {
    {"kind", "secret"}, {"bad", "seven"}, {"ports", "80,443"}, {"unknown", "1"}};
}
