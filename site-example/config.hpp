// SPDX-License-Identifier: ISC
// site-example/config.hpp: what the appliance is made of. `crunch build` uses it unless told
// otherwise.
//
// To make your own: copy this file, change it, and say `crunch build DIR -t unix --config FILE`.

#pragma once

#include "config/parts/parts.hpp"

// The site, as `crunch embed` wrote it; certificates and roots, if `crunch build` was given any.
extern "C" const kv::crunched::Site crunched_site;
extern "C" const config::EmbeddedFile crunched_credentials[];
extern "C" const config::EmbeddedFile crunched_roots[];

namespace {

using namespace config;

constexpr auto site = generic_kv_ro<crunched_site>("site");
constexpr auto network = generic_stack();
constexpr auto wire = proxied(network);
constexpr auto certificates = credentials<crunched_credentials>();
constexpr auto secure = tls_over(wire, certificates);

// With a certificate: HTTPS, and HTTP redirects to it. Without: HTTP. By crunch build --acme it
// gets the certificate itself. And, where --management-port is set, metrics and health for the
// operator.
constexpr auto app =
    jobs(certificates_from_a_ca<crunched_roots>(network, certificates),
         redirect_to_https<http_port>()(site, wire, secure), https_server()(site, secure),
         management_server(management_stack(network)));

}  // namespace
