// SPDX-License-Identifier: ISC
// targets/unix/probe.hpp: asks an image that runs whether it is well: for health checks where there
// is nothing but the image.
//
// States:  ask_health, take_probe (the boot key `probe`).   Used by: targets/unix/target.hpp.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/boot.hpp"

namespace unix_target {

// Who is asked; all zero: this machine itself, by IPv6 or IPv4. An IPv4 address is mapped into IPv6
// (RFC 4291 section 2.5.5.2).
struct ProbeTarget {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
};

// GET /healthz, in at most `within_ms`. A sentence, unless it is answered with 200.
[[nodiscard]] base::Result<void, std::string> ask_health(const ProbeTarget& target,
                                                         int within_ms = 3000);

// Where the boot line asks for a probe, makes it and gives the exit status: 0 or 1, with a sentence
// on standard error. Empty: it does not ask.
[[nodiscard]] std::optional<int> take_probe(const config::BootLine& boot);

}  // namespace unix_target
