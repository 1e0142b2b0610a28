// SPDX-License-Identifier: ISC
// site-example/plain.hpp: the appliance without TLS; what `crunch build` uses where crunch was
// built without mbedTLS.

#pragma once

#include "config/parts/parts.hpp"

// The site, as `crunch embed` wrote it.
extern "C" const kv::crunched::Site crunched_site;

namespace {

using namespace config;

constexpr auto site = generic_kv_ro<crunched_site>("site");
constexpr auto network = generic_stack();
constexpr auto wire = proxied(network);
constexpr auto server = http_server<http_port>();

constexpr auto app = jobs(server(site, wire), management_server(management_stack(network)));

}  // namespace
