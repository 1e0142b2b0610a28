// SPDX-License-Identifier: ISC
// tests/crunch/config/host/settings.cpp: what `crunch build --set` would have written.

#include "crunch/config/setting.hpp"

extern "C" {
extern const crunch::config::Setting crunched_settings[];
const crunch::config::Setting crunched_settings[] = {
    {"greeting", "built"}, {"times", "3"}, {"pause", "1ms"}, {nullptr, nullptr}};
}
