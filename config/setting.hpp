// SPDX-License-Identifier: ISC
// config/setting.hpp: a key's value as `crunch build` writes it down.
//
// Written: into the image's data, `crunched_settings`, for what is a default of its boot; and into
//          the header that CRUNCH_SETTINGS names, as `config::build_settings`, for what
//          devices are chosen by. Without that header: nothing was set.

#pragma once

#include <array>
#include <span>

namespace config {

// An array of them in an image ends with one without a name.
struct Setting {
  const char* name;
  const char* value;
};

}  // namespace config

#ifdef CRUNCH_SETTINGS
#include CRUNCH_SETTINGS
#else
namespace config {
inline constexpr std::span<const Setting> build_settings;
}
#endif
