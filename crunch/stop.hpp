// SPDX-License-Identifier: ISC
// crunch/stop.hpp: stopping on signals.
//
// States:  stop_on_signals, check_stopped.   Used by: crunch/main and whatever takes long.

#pragma once

namespace crunch {

// From now on SIGINT, SIGTERM and SIGHUP make `check_stopped` throw Interrupted, and a file size
// limit or a closed pipe is an error of write, not a signal.
void stop_on_signals();
// Throws Interrupted if one of these signals has arrived.
void check_stopped();

}  // namespace crunch
