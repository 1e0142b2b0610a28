// SPDX-License-Identifier: ISC
// targets/xen/netfront_rings.hpp: the rings of a network device, for netfront*.cpp only: they are
// made of Xen's types.

#pragma once

#include "targets/xen/abi.hpp"
#include "targets/xen/netfront.hpp"
#include "targets/xen/ring.hpp"

namespace xen_target {

struct Netfront::Rings {
  FrontRing<netif_tx_sring> out;
  FrontRing<netif_rx_sring> in;
  Page out_page;
  Page in_page;
};

}  // namespace xen_target
