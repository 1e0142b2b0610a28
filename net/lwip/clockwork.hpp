// SPDX-License-Identifier: ISC
// net/lwip/clockwork.hpp: calls lwIP's timer functions when they are due, and only then.
//
// Method:  each part of lwIP has a tick. Activity in it starts its ticks; after each tick it is
//          looked at whether anything in it still waits for a next one, and when; if nothing does,
//          the ticks stop. What was missed meanwhile is made up for at once when they start again,
//          so ages and lifetimes are right: by as many calls, or for TCP, where nothing was timed,
//          by moving its tick counter.
// So:      a stack whose connections are idle and whose addresses are settled does not wake up,
//          but for a DHCP lease to renew and for TCP's keep-alive probes.

#pragma once

#include <array>
#include <cstdint>

#include "base/loop.hpp"
#include "net/lwip/globals.hpp"

namespace net::lwip {

class Clockwork final : public base::Timer {
 public:
  // Both must outlive it.
  Clockwork(base::Loop& loop, Globals& globals);

  // Before lwIP is called for any reason: enters its stack, and makes up for what was missed.
  // `all`: anything may have been touched, not only TCP (and ARP and neighbour discovery, by
  // sending).
  void enter(bool all = false);
  // Only enters its stack: ticks might end the connection that is looked at.
  void enter_stack() noexcept { globals_.enter(); }
  // A fragment came, whose datagram waits for others.
  void wait_for_fragments();
  // Called after each tick: addresses may have changed.
  base::Work* after_tick = nullptr;

 private:
  struct Part {
    base::Duration interval;
    void (*tick)();
    // In how many ticks from now something is due; 0: nothing waits.
    std::uint32_t (*due_in)();
    std::uint32_t ticks_missed_max;  // more are not made up for
    bool is_tcp = false;
    bool is_of_all = true;   // started by any activity, not only by enter(true)
    base::Instant last{};    // of its ticks; they are counted from here
    std::uint32_t next = 0;  // in so many ticks; 0: stopped
    bool is_quiet = true;    // nothing is timed until `next`
    std::uint32_t stay = 0;  // for so many ticks it goes on whatever is due
  };
  static constexpr std::size_t parts_count = 5;

  void expired() override;
  void catch_up(Part& part);
  void start(Part& part);
  void arm_for(const Part& part);
  void settle(Part& part);

  base::Loop& loop_;
  Globals& globals_;
  std::array<Part, parts_count> parts_;
  Part& seconds_ = parts_[1];
};

}  // namespace net::lwip
