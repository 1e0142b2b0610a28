// SPDX-License-Identifier: ISC
// config/management.hpp: the boot keys of the management port: metrics and health for whoever runs
// an appliance.
//
// States:  management_port, management_port_of, management_address, probe.
// Used by: config/parts/management.hpp, and targets/unix, which asks a running image (--probe).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/boot.hpp"
#include "config/key.hpp"

namespace config {

inline constexpr std::string_view management_section = "MANAGEMENT";
inline constexpr Key<std::string_view> management_port{
    .name = "management-port",
    .section = management_section,
    .doc = "Port of /metrics, /healthz and /readyz; 0: one that is free; or off",
    .fallback = "off"};
inline constexpr Key<Address> management_address{
    .name = "management-address",
    .section = management_section,
    .doc = "Serve them on this address; none: on every one",
    .fallback = "127.0.0.1"};
inline constexpr Key<bool> probe{
    .name = "probe",
    .section = management_section,
    .doc = "Only ask the /healthz of the image that runs with these keys; exit with 0 or 1",
    .fallback = false,
    .stage = Stage::boot};

// Empty: off. A sentence for what is no port.
inline base::Result<std::optional<std::uint16_t>, std::string> management_port_of(
    const BootLine& boot) {
  const std::string text = boot.text(management_port);
  if (text == "off") return std::optional<std::uint16_t>();
  std::uint32_t port = 0;
  bool is_port = !text.empty() && text.size() <= 5;
  for (const char c : text) {
    is_port = is_port && c >= '0' && c <= '9';
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (!is_port || port > 65'535) {
    return base::failure("--management-port=" + text +
                         " is no port: it takes a number from 0 to 65535, or off");
  }
  return std::optional(static_cast<std::uint16_t>(port));
}

}  // namespace config
