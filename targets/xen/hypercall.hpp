// SPDX-License-Identifier: ISC
// targets/xen/hypercall.hpp: what is asked of Xen.
//
// Rule:    usable before the C library has started: no vector registers, nothing of the library.
// Source:  Xen's public headers, named beside each group.

#pragma once

#include <cstddef>
#include <cstdint>

#include "targets/xen/host.hpp"

namespace xen_target::hypercall {

using Port = std::uint32_t;
using Domain = std::uint16_t;

// Finds Xen and has it fill the page of calls. False: this is no Xen guest. To be called again
// where the machine was taken up again.
[[nodiscard]] bool begin() noexcept;

// Calls so far, and those of them that told another domain something, and that slept.
struct Counts {
  std::uint64_t all = 0;
  std::uint64_t notifications = 0;
  std::uint64_t sleeps = 0;
};
[[nodiscard]] Counts counts() noexcept;

// hvm/params.h. 0: there is none.
[[nodiscard]] std::uint64_t parameter(std::uint32_t index) noexcept;
void set_parameter(std::uint32_t index, std::uint64_t value) noexcept;

// memory.h: puts a page of Xen's at `at`, which is a page of ours. False: there is none.
[[nodiscard]] bool place_shared_info(std::uint64_t at) noexcept;
[[nodiscard]] bool place_grant_frame(std::uint32_t index, std::uint64_t at) noexcept;

// event_channel.h. A port that domain `other` may bind; 0: there are no more.
[[nodiscard]] Port new_port(Domain other) noexcept;
void close_port(Port port) noexcept;
void notify(Port port) noexcept;

// sched.h: sleeps until one of the ports is pending or the system time is `until_ns` (0: for ever).
void poll(const Port* ports, std::uint32_t count, std::uint64_t until_ns) noexcept;
// Comes back from a suspend only: 0 in a domain that was made anew, 1 in the same one.
enum class Reason : std::uint8_t { power_off = 0, reboot = 1, suspend = 2, crash = 3 };
int shut_down(Reason reason) noexcept;

}  // namespace xen_target::hypercall
