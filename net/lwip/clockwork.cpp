// SPDX-License-Identifier: ISC
#include "net/lwip/clockwork.hpp"

#include <algorithm>

#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/dhcp.h>

#include "net/lwip/sender.hpp"

namespace net::lwip {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t nothing = 0;
constexpr std::uint32_t next_tick = 1;
constexpr std::uint32_t far = 0xffff'ffff;

std::uint32_t or_nothing(std::uint32_t due) { return due == far ? nothing : due; }

// ---- TCP: every second tick of 50 ms is a "slow" one, in which lwIP counts.

// Slow ticks until something is due for a connection that is not closing; 0: the next one.
std::uint32_t slow_ticks_until_due(const tcp_pcb& pcb) {
  const bool is_open = pcb.state == ESTABLISHED || pcb.state == CLOSE_WAIT;
  constexpr unsigned busy_flags = TF_ACK_DELAY | TF_ACK_NOW | TF_CLOSEPEND | TF_NAGLEMEMERR;
  if (!is_open || pcb.unacked != nullptr || pcb.unsent != nullptr || pcb.ooseq != nullptr ||
      pcb.refused_data != nullptr || (pcb.flags & busy_flags) != 0) {
    return 0;
  }
  if ((pcb.so_options & SOF_KEEPALIVE) == 0) return far;
  const std::uint32_t wait =
      (pcb.keep_idle + pcb.keep_cnt_sent * pcb.keep_intvl) / TCP_SLOW_INTERVAL + 1;
  const std::uint32_t waited = tcp_ticks - pcb.tmr;
  return waited < wait ? wait - waited : 0;
}

std::uint32_t tcp_due_in() {
  std::uint32_t slow = far;
  for (const tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr && slow > 0; pcb = pcb->next) {
    slow = std::min(slow, slow_ticks_until_due(*pcb));
  }
  constexpr std::uint32_t time_wait = 2 * TCP_MSL / TCP_SLOW_INTERVAL + 1;
  for (const tcp_pcb* pcb = tcp_tw_pcbs; pcb != nullptr && slow > 0; pcb = pcb->next) {
    const std::uint32_t waited = tcp_ticks - pcb->tmr;
    slow = std::min(slow, waited < time_wait ? time_wait - waited : 0);
  }
  if (slow == far) return nothing;
  return std::max(next_tick, slow * 2);
}

// lwIP goes on probing a closed window when all that waited for it has been acknowledged, and then
// stops the machine because there is nothing to probe with.
void tcp_tick() {
  for (tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
    if (pcb->unsent == nullptr) pcb->persist_backoff = 0;
    // Lost segments are ours to find (net/lwip/sender.hpp).
    const Sender* sender = pcb->rtime >= 0 ? Sender::of(*pcb) : nullptr;
    if (sender != nullptr && sender->is_started()) pcb->rtime = -1;
  }
  tcp_tmr();
}

// ---- ARP, neighbour discovery, reassembly: a second.

void second_tick() {
  etharp_tmr();
  nd6_tmr();
  ip_reass_tmr();
  ip6_reass_tmr();
}

bool is_address_settled(const netif& each) {
  for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
    if (ip6_addr_istentative(netif_ip6_addr_state(&each, i))) return false;
  }
  return each.rs_count == 0;
}

// ---- DHCP

const dhcp* dhcp_of_netif() {
  return netif_default != nullptr ? netif_dhcp_data(netif_default) : nullptr;
}

std::uint32_t dhcp_fine_due_in() {
  const dhcp* state = dhcp_of_netif();
  return state != nullptr ? state->request_timeout : nothing;
}

std::uint32_t dhcp_coarse_due_in() {
  const dhcp* state = dhcp_of_netif();
  if (state == nullptr || state->state == DHCP_STATE_OFF) return nothing;
  std::uint32_t due = far;
  if (state->t0_timeout > state->lease_used) {
    due = std::min<std::uint32_t>(due, state->t0_timeout - state->lease_used);
  }
  for (std::uint32_t timeout : {state->t1_renew_time, state->t2_rebind_time}) {
    if (timeout > 0) due = std::min(due, timeout);
  }
  return or_nothing(due);
}

// ---- Multicast listener discovery

std::uint32_t mld_due_in() {
  std::uint32_t due = far;
  if (netif_default == nullptr) return nothing;
  for (const mld_group* group = netif_mld6_data(netif_default); group != nullptr;
       group = group->next) {
    if (group->timer > 0) due = std::min<std::uint32_t>(due, group->timer);
  }
  return or_nothing(due);
}

// The second's ticks go on for a while after anything came that may have left something half done:
// fragments and ARP requests are in tables that lwIP does not show.
constexpr std::uint32_t seconds_after_activity = 6;  // an ARP request is given up after 5
constexpr std::uint32_t seconds_after_fragment = IP_REASS_MAXAGE + 2;

std::uint32_t second_due_in() {
  if (netif_default != nullptr && !is_address_settled(*netif_default)) return next_tick;
  for (int i = 0; i < LWIP_ND6_NUM_NEIGHBORS; ++i) {
    const int state = neighbor_cache[i].state;
    if (state == ND6_INCOMPLETE || state == ND6_DELAY || state == ND6_PROBE) return next_tick;
  }
  return nothing;
}

}  // namespace

Clockwork::Clockwork(base::Loop& loop, Globals& globals)
    : Timer(loop),
      loop_(loop),
      globals_(globals),
      parts_{{
          {.interval = 50ms,
           .tick = tcp_tick,
           .due_in = tcp_due_in,
           .ticks_missed_max = 4,
           .is_tcp = true},
          {.interval = 1s, .tick = second_tick, .due_in = second_due_in, .ticks_missed_max = 7200},
          {.interval = 500ms,
           .tick = dhcp_fine_tmr,
           .due_in = dhcp_fine_due_in,
           .ticks_missed_max = 100'000,
           .is_of_all = false},
          {.interval = std::chrono::seconds(DHCP_COARSE_TIMER_SECS),
           .tick = dhcp_coarse_tmr,
           .due_in = dhcp_coarse_due_in,
           .ticks_missed_max = 10'000'000,  // a lease may be of weeks
           .is_of_all = false},
          {.interval = 100ms,
           .tick = mld6_tmr,
           .due_in = mld_due_in,
           .ticks_missed_max = 100'000,
           .is_of_all = false},
      }} {
  for (Part& part : parts_) part.last = loop.now();
}

// Runs the ticks that are past.
void Clockwork::catch_up(Part& part) {
  const auto ticks = static_cast<std::uint64_t>((loop_.now() - part.last) / part.interval);
  if (ticks == 0) return;
  part.last += part.interval * static_cast<std::int64_t>(ticks);
  auto run = static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks, part.ticks_missed_max));
  if (part.is_tcp && part.is_quiet) {
    // Nothing was timed but what is due now, if anything is.
    tcp_ticks += static_cast<std::uint32_t>(ticks / 2);
    run = std::min(run, 2U);
    if (part.next == 0 || ticks < part.next) return;
  }
  for (std::uint32_t i = 0; i < run; ++i) part.tick();
}

void Clockwork::arm_for(const Part& part) {
  const base::Instant at = part.last + part.interval * std::int64_t{part.next};
  if (!is_armed() || at < this->at()) arm(at);
}

void Clockwork::start(Part& part) {
  if (part.next == next_tick && !part.is_quiet) return;  // ticking: expired() will see to it
  catch_up(part);
  part.is_quiet = false;
  part.next = next_tick;
  arm_for(part);
}

void Clockwork::enter(bool all) {
  globals_.enter();
  seconds_.stay = std::max(seconds_.stay, seconds_after_activity);
  for (Part& part : parts_) {
    if (part.is_of_all || all) start(part);
  }
}

void Clockwork::wait_for_fragments() { seconds_.stay = seconds_after_fragment; }

// Whether the part goes on ticking, after a tick.
void Clockwork::settle(Part& part) {
  if (part.stay > 0) --part.stay;
  part.next = part.stay > 0 ? next_tick : part.due_in();
  part.is_quiet = part.next != next_tick;
}

void Clockwork::expired() {
  globals_.enter();
  disarm();
  const base::Instant now = loop_.now();
  for (Part& part : parts_) {
    if (part.next == 0) continue;
    if (part.last + part.interval * std::int64_t{part.next} <= now) {
      // What is sent may wait for a neighbour's MAC, from now on and not since long ago.
      if (!part.is_of_all) {
        seconds_.stay = std::max(seconds_.stay, seconds_after_activity);
        start(seconds_);
      }
      catch_up(part);
      settle(part);
    }
    if (part.next != 0) arm_for(part);
  }
  if (after_tick != nullptr) after_tick->run();
}

}  // namespace net::lwip
