// SPDX-License-Identifier: ISC
// tests/tls/lwip_world.hpp: TLS over lwIP, in simulated time, as Worlds of tests/net/worlds.hpp.

#pragma once

#include "tests/net/lwip_world.hpp"
#include "tests/tls/world.hpp"

using TlsLwipWorld = TlsWorldOn<net::LwipWorld>;
using TlsLwipIpv6World = TlsWorldOn<net::LwipIpv6World>;
using TlsLwipCuttingWorld = TlsWorldOn<net::LwipCuttingWorld>;
