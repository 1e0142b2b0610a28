// SPDX-License-Identifier: ISC
// examples/two-networks/config.hpp: one appliance on two networks: the site on the first, and on a
// management network of its own another one, which nobody reaches from the first.
//
//   crunch build htdocs -t unix-tap -o site --config examples/two-networks/config.hpp
//     --set management-store=directory
//   ./site --tap=tap0 --ipv4=192.0.2.2/24 --ipv4-gateway=192.0.2.1
//     --management-tap=tap1 --management-ipv4=10.0.0.2/24 --management-directory=/srv/status
//
// The management network also has the numbers and the health of the appliance, on
// --management-port.
//
// With the kernel's sockets (-t unix) each stack listens on an address: --address, and
// --management-address. On a machine the second network is its second device, or the one that
// --management-device=N names.

#pragma once

#include "config/parts/parts.hpp"

extern "C" const kv::crunched::Site crunched_site;

namespace {

using namespace config;

constexpr Key<Port> status_port{.name = "management-http-port",
                                .section = "NETWORK",
                                .doc = "Port of the site on the management network",
                                .fallback = 8080};

constexpr auto files = generic_kv_ro<crunched_site>("files");
constexpr auto status = generic_kv_ro<crunched_site, "management">("status");
constexpr auto inner = generic_stack<"management">();
constexpr auto app = jobs(http_server<http_port>()(files, generic_stack()),
                          http_server<status_port>()(status, inner), management_server(inner));

}  // namespace
