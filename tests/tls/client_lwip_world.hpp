// SPDX-License-Identifier: ISC
// tests/tls/client_lwip_world.hpp: both ends ours over lwIP, in simulated time, as Worlds of
// tests/net/worlds.hpp.

#pragma once

#include "tests/net/lwip_world.hpp"
#include "tests/tls/client_world.hpp"

using TlsClientLwipWorld = client_world::WorldOn<net::LwipWorld>;
using TlsClientLwipIpv6World = client_world::WorldOn<net::LwipIpv6World>;
using TlsClientLwipCuttingWorld = client_world::WorldOn<net::LwipCuttingWorld>;
