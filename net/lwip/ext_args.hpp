// SPDX-License-Identifier: ISC
// net/lwip/ext_args.hpp: what each place of a pcb's extension arguments is for (lwip/tcp.h).
//
// Rule:    fixed numbers, not tcp_ext_arg_alloc_id(): lwIP counts those for each stack, so with two
//          stacks in a program one number could be given out twice.

#pragma once

#include <lwip/opt.h>

namespace net::lwip {

enum ExtArg : unsigned char {
  half_open_arg,
  segments_arg,
  record_arg,
  orphan_arg,
  sender_arg,
  ext_arg_count
};
static_assert(ext_arg_count == LWIP_TCP_PCB_NUM_EXT_ARGS);

}  // namespace net::lwip
