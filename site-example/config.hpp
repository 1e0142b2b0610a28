// SPDX-License-Identifier: ISC
// site-example/config.hpp: what the appliance is made of. `crunch build` uses it unless told
// otherwise.
//
// To make your own: copy this file, change it, and say `crunch build DIR -t unix --config FILE`.

#pragma once

#include "crunch/config/parts.hpp"

// The site, as `crunch embed` wrote it.
extern "C" const kv::crunched::Site crunched_site;

namespace {

using namespace crunch::config;

constexpr auto site = crunched<crunched_site>("site");
constexpr auto wire = generic_stack();
constexpr auto server = http_server<http_port>();

constexpr auto app = jobs(server(site, wire));

}  // namespace
