// SPDX-License-Identifier: ISC
// targets/xen/abi.hpp: Xen's own interface headers (Debian's libxen-dev), all in one place.
//
// Rule:    included by .cpp files only: a configuration is compiled on machines without them.
// Version: what Xen 4.13 spoke and later ones go on speaking.

#pragma once

#define __XEN_INTERFACE_VERSION__ 0x00040d00  // NOLINT(bugprone-reserved-identifier)

#include <cstdint>
#include <cstring>

#include <xen/xen.h>

#include <xen/arch-x86/cpuid.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/blkif.h>
#include <xen/io/console.h>
#include <xen/io/netif.h>
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/sched.h>
