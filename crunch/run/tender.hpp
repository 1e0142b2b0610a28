// SPDX-License-Identifier: ISC
// crunch/run/tender.hpp: an image as a guest of hvt-tender, which lies beside crunch.
//
// States:  on a tap that is there, crunch becomes the tender. With `auto` it makes a network
//          (own_network.hpp), starts the tender on it, hands SIGINT and SIGTERM on, and takes the
//          network away when the tender has ended.

#pragma once

#include "crunch/run/run.hpp"

namespace crunch::run {

// The guest's exit status, if it returns.
int run_by_tender(const Options& options, bool has_https);

}  // namespace crunch::run
