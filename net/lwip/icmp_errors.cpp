// SPDX-License-Identifier: ISC
// net/lwip/icmp_errors.cpp: what lwIP tells senders of packets that cannot be delivered: so often,
// and not more (Engine::icmp_errors).
//
// Method:  cmake/lwip.cmake has lwIP call these in place of its own functions of these names.

#include <lwip/icmp.h>
#include <lwip/icmp6.h>

#include "net/lwip/engine.hpp"

namespace {

bool may_send() noexcept {
  net::lwip::Engine& engine = net::lwip::Engine::current();
  return engine.icmp_errors.take(engine.loop.now());
}

}  // namespace

extern "C" {

void crunch_lwip_icmp_dest_unreach(pbuf* packet, icmp_dur_type why) {
  if (may_send()) icmp_dest_unreach(packet, why);
}

void crunch_lwip_icmp_time_exceeded(pbuf* packet, icmp_te_type why) {
  if (may_send()) icmp_time_exceeded(packet, why);
}

void crunch_lwip_icmp6_dest_unreach(pbuf* packet, icmp6_dur_code why) {
  if (may_send()) icmp6_dest_unreach(packet, why);
}

void crunch_lwip_icmp6_param_problem(pbuf* packet, icmp6_pp_code why, const void* where) {
  if (may_send()) icmp6_param_problem(packet, why, where);
}

void crunch_lwip_icmp6_time_exceeded_with_addrs(pbuf* packet, icmp6_te_code why,
                                                const ip6_addr_t* from, const ip6_addr_t* to) {
  if (may_send()) icmp6_time_exceeded_with_addrs(packet, why, from, to);
}

}  // extern "C"
