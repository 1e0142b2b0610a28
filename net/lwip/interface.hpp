// SPDX-License-Identifier: ISC
// net/lwip/interface.hpp: the stack's one interface: how it comes by its addresses, and what it
// says about them.
//
// Log:     each address when it can be used; no answer of a DHCP server (after 10 s, then at longer
//          and longer intervals while lwIP goes on asking, RFC 2131); another host with the same
//          address, with its MAC: one that DHCP gave is declined.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <lwip/ip_addr.h>
#include <lwip/netif.h>

#include "base/log.hpp"
#include "base/loop.hpp"
#include "net/device.hpp"
#include "net/lwip/globals.hpp"
#include "net/lwip/options.hpp"

namespace net::lwip {

class Interface final : public base::Work {
 public:
  Interface(base::Loop& loop, Globals& globals, base::Log& log, const Options& options);

  // Makes lwIP's netif and starts it. `offload`: what lwIP need not sum.
  void start(const Mac& mac, std::size_t mtu_bytes, Offload offload);
  void stop();

  // Looks at an ARP frame before lwIP does: does it come from someone with our address?
  void see_arp(base::Bytes frame);
  [[nodiscard]] bool has_ipv4() const noexcept;
  [[nodiscard]] bool has_ipv6() const noexcept;
  [[nodiscard]] bool uses_ipv6() const noexcept { return options_.ipv6_mode != Ipv6Mode::off; }
  [[nodiscard]] const ip6_addr_t* ipv6_gateway() const noexcept {
    return ipv6_gateway_ ? &*ipv6_gateway_ : nullptr;
  }
  netif& lwip_netif() noexcept { return netif_; }
  // Logs what has changed about the addresses.
  void run() override;

 private:
  // Calls a member when its time has come.
  class Later final : public base::Timer {
   public:
    Later(base::Loop& loop, Interface& interface, void (Interface::*call)())
        : Timer(loop), interface_(interface), call_(call) {}
    void expired() override { (interface_.*call_)(); }

   private:
    Interface& interface_;
    void (Interface::*call_)();
  };

  void start_ipv4();
  void start_ipv6();
  void miss_dhcp();
  void announce();
  // Gives the address back to the DHCP server: the host with this MAC has it too.
  void decline(const std::string& mac);
  void report_ipv4();
  void report_ipv6(std::size_t index);

  base::Loop& loop_;
  Globals& globals_;
  base::Log& log_;
  Options options_;
  std::string name_;  // in what is logged
  netif netif_{};
  Mac mac_{};
  std::optional<ip6_addr_t> ipv6_gateway_;
  ip4_addr_t reported_ipv4_{};
  std::array<std::uint8_t, LWIP_IPV6_NUM_ADDRESSES> reported_ipv6_{};  // states
  base::Instant started_{};
  base::Instant got_ipv4_{};
  base::Instant conflict_logged_{};
  bool has_logged_conflict_ = false;
  Later dhcp_patience_;
  base::Duration patience_;
  Later announcing_;
  int announcements_left_ = 0;
};

}  // namespace net::lwip
