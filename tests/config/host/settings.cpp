// SPDX-License-Identifier: ISC
// tests/config/host/settings.cpp: what `crunch build --set` would have written.

#include "config/setting.hpp"

extern "C" {
extern const config::Setting crunched_settings[];
const config::Setting crunched_settings[] = {
    {"greeting", "built"}, {"times", "3"}, {"pause", "1ms"}, {nullptr, nullptr}};
}
