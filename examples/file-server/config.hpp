// SPDX-License-Identifier: ISC
// examples/file-server/config.hpp: the modular file server: plain HTTP from any store on any
// network.
//
//   crunch build htdocs -t unix -o files --config examples/file-server/config.hpp
//   crunch build htdocs -t unix -o live --config examples/file-server/config.hpp
//     --set store=directory
//   ./live --directory=/srv/www --http-port=8080
//
// The store: crunched into the image, or with `--set store=directory`, where the target has files,
// a directory that is read live. The network: the kernel's sockets or lwIP, as the target has it.

#pragma once

#include "config/parts/parts.hpp"

extern "C" const kv::crunched::Site crunched_site;

namespace {

using namespace config;

constexpr auto files = generic_kv_ro<crunched_site>("files");
constexpr auto network = generic_stack();
constexpr auto app = jobs(http_server<http_port>()(files, network));

}  // namespace
