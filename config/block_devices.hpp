// SPDX-License-Identifier: ISC
// config/block_devices.hpp: how many block devices the devices and jobs of an appliance ask for.
//
// States:  declare_block_devices.
// A connect says it beside its `keys`: `static constexpr std::size_t block_devices = 1;`. A target
// whose images name their devices before they run (hvt's manifest) declares as many; the others
// look for what is there when something asks.

#pragma once

#include <cstddef>
#include <type_traits>

#include "config/graph.hpp"

namespace config {

namespace detail {

template <class Connect>
inline constexpr std::size_t block_devices_of_connect = 0;
template <class Connect>
requires requires { Connect::block_devices; }
inline constexpr std::size_t block_devices_of_connect<Connect> = Connect::block_devices;

template <const auto& app>
constexpr std::size_t count_block_devices() {
  std::size_t count = 0;
  for_each_device(app, [&count](const auto& device) {
    using Connect = typename std::remove_cvref_t<decltype(device)>::Connection;
    count += block_devices_of_connect<Connect>;
  });
  return count;
}

}  // namespace detail

// Tells a target that asks for it how many `app` has.
template <const auto& app, class Platform>
void declare_block_devices(Platform& platform) {
  constexpr std::size_t count = detail::count_block_devices<app>();
  if constexpr (requires { platform.block_devices.template declare<count>(); }) {
    platform.block_devices.template declare<count>();
  }
}

}  // namespace config
