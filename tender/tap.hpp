// SPDX-License-Identifier: ISC
// tender/tap.hpp: a tap of the host for a guest: whole frames, without any header.
//
// States:  open_tap, Tap.   Used by: tender/run.cpp.
// Source:  linux/if_tun.h, Documentation/networking/tuntap.rst.

#pragma once

#include <cstdint>
#include <string>

#include "base/descriptor.hpp"

namespace tender {

struct Tap {
  base::Descriptor file;  // does not block
  std::uint16_t mtu_bytes = 1500;
};

// `name`: of a tap that is there, or "@N" for one that was inherited open as descriptor N. Throws
// std::runtime_error with a sentence that says what to do.
[[nodiscard]] Tap open_tap(const std::string& name);

}  // namespace tender
