// SPDX-License-Identifier: ISC
// crunch/run/qemu.hpp: an image as a machine under QEMU.
//
// States:  starting -> runs -> asked to stop (a signal: the machine's power button is pressed by
//          QMP) -> ended. A second signal, or stop_patience_s after the first, ends QEMU at once.
// Owns:    the QEMU process: it ends with crunch, whatever ends that.
// Network: QEMU's user network, shut off from everything but two ports of this machine's loopback
//          that are forwarded to it; or a tap device that is there.

#pragma once

#include "crunch/run/run.hpp"

namespace crunch::run {

inline constexpr int stop_patience_s = 15;

// The machine's exit status.
int run_in_qemu(const Options& options, bool has_https);

// QEMU's words for it. Ports that are 0 have been chosen.
[[nodiscard]] std::vector<std::string> qemu_words(const Options& options, bool has_https,
                                                  const std::string& program, int monitor_fd);

}  // namespace crunch::run
