// SPDX-License-Identifier: ISC
#include "net/lwip/interface.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <netif/ethernet.h>

#include "net/lwip/decline.hpp"
#include "net/lwip/engine.hpp"
#include "net/lwip/ip.hpp"

namespace net::lwip {

namespace {

using namespace std::chrono_literals;

// RFC 5227 section 1.1: PROBE_NUM and the longest time between two.
constexpr int announcements = 3;
constexpr base::Duration announcement_interval = std::chrono::seconds(2);
constexpr base::Duration first_patience = 10s;
constexpr base::Duration patience_max = 10min;
constexpr base::Duration conflict_quiet = 10s;

std::string text_of(const ip4_addr_t& address) {
  ip_addr_t either{};
  either.type = IPADDR_TYPE_V4;
  either.u_addr.ip4 = address;
  return address_text(from_lwip(either, 0));
}

std::string text_of(const ip6_addr_t& address) {
  ip_addr_t either{};
  either.type = IPADDR_TYPE_V6;
  either.u_addr.ip6 = address;
  return address_text(from_lwip(either, 0));
}

ip4_addr_t to_lwip4(const Ipv4Address& address) {
  ip4_addr_t out{};
  std::memcpy(&out.addr, address.data(), address.size());
  return out;
}

std::string mac_text(base::Bytes mac) {
  std::array<char, 18> text{};
  auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(mac[i]); };
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", byte(0), byte(1),
                byte(2), byte(3), byte(4), byte(5));
  return text.data();
}

err_t send_frame(netif* from, pbuf* frame) { return Engine::current().send(*from, frame); }

// Called by netif_add.
err_t set_up(netif* interface) {
  interface->name[0] = 'e';
  interface->name[1] = 'n';
  interface->output = etharp_output;
  interface->output_ip6 = ethip6_output;
  interface->linkoutput = send_frame;
  interface->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                     NETIF_FLAG_LINK_UP | NETIF_FLAG_MLD6;
  return ERR_OK;
}

void status_changed(netif*) { Engine::current().loop.schedule(Engine::current().interface); }

}  // namespace

Interface::Interface(base::Loop& loop, Globals& globals, base::Log& log, const Options& options)
    : loop_(loop),
      globals_(globals),
      log_(log),
      options_(options),
      name_(options.group.empty() ? "network" : options.group),
      dhcp_patience_(loop, *this, &Interface::miss_dhcp),
      patience_(first_patience),
      announcing_(loop, *this, &Interface::announce) {}

void Interface::start(const Mac& mac, std::size_t mtu_bytes, Offload offload) {
  mac_ = mac;
  started_ = loop_.now();
  ip4_addr_t none{};
  CHECK(netif_add(&netif_, &none, &none, &none, nullptr, set_up, ethernet_input) != nullptr);
  std::copy(mac.begin(), mac.end(), netif_.hwaddr);
  netif_.hwaddr_len = static_cast<u8_t>(mac.size());
  netif_.mtu = static_cast<u16_t>(std::min<std::size_t>(mtu_bytes, 0xffff));
  netif_.mtu6 = netif_.mtu;
  unsigned sums = NETIF_CHECKSUM_ENABLE_ALL;
  if (offload.send) sums &= ~unsigned{NETIF_CHECKSUM_GEN_TCP};
  NETIF_SET_CHECKSUM_CTRL(&netif_, static_cast<u16_t>(sums));
  if (!options_.hostname.empty()) netif_set_hostname(&netif_, options_.hostname.c_str());
  netif_set_status_callback(&netif_, status_changed);
  netif_set_default(&netif_);
  if (uses_ipv6()) start_ipv6();
  netif_set_up(&netif_);
  // lwIP would wake every second to ask for routers, and never do it.
  if (!uses_ipv6()) netif_.rs_count = 0;
  start_ipv4();
  loop_.schedule(*this);
}

void Interface::start_ipv4() {
  if (options_.ipv4) {
    const ip4_addr_t address = to_lwip4(options_.ipv4->address);
    const unsigned bits = options_.ipv4->prefix_bits;
    ip4_addr_t mask{};
    mask.addr = lwip_htonl(bits == 0 ? 0U : 0xffff'ffffU << (32U - bits));
    const ip4_addr_t gateway =
        options_.ipv4->gateway ? to_lwip4(*options_.ipv4->gateway) : ip4_addr_t{};
    netif_set_addr(&netif_, &address, &mask, &gateway);
  } else if (options_.dhcp) {
    dhcp_start(&netif_);
    dhcp_patience_.arm(loop_.now() + patience_);
  }
}

void Interface::start_ipv6() {
  netif_create_ip6_linklocal_address(&netif_, 1);
  netif_set_ip6_autoconfig_enabled(&netif_, options_.ipv6_mode == Ipv6Mode::automatic ? 1 : 0);
  if (options_.ipv6_mode != Ipv6Mode::fixed) return;
  ip6_addr_t address{};
  std::memcpy(address.addr, options_.ipv6.address.data(), 16);
  ip6_addr_assign_zone(&address, IP6_UNICAST, &netif_);
  netif_ip6_addr_set(&netif_, 1, &address);
  netif_ip6_addr_set_state(&netif_, 1, IP6_ADDR_TENTATIVE);
  if (!options_.ipv6.gateway) return;
  ip6_addr_t gateway{};
  std::memcpy(gateway.addr, options_.ipv6.gateway->data(), 16);
  ip6_addr_assign_zone(&gateway, IP6_UNICAST, &netif_);
  ipv6_gateway_ = gateway;
}

void Interface::stop() {
  unschedule();
  dhcp_patience_.disarm();
  announcing_.disarm();
  netif_set_status_callback(&netif_, nullptr);
  if (netif_dhcp_data(&netif_) != nullptr) {
    dhcp_release_and_stop(&netif_);
    dhcp_cleanup(&netif_);
  }
  netif_remove(&netif_);
}

bool Interface::has_ipv4() const noexcept { return !ip4_addr_isany(netif_ip4_addr(&netif_)); }

bool Interface::has_ipv6() const noexcept {
  for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
    if (ip6_addr_isvalid(netif_ip6_addr_state(&netif_, i))) return true;
  }
  return false;
}

void Interface::miss_dhcp() {
  if (has_ipv4()) return;
  const std::string key_prefix = options_.group.empty() ? "" : options_.group + "-";
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(loop_.now() - started_);
  log_.warning({name_, ": no DHCP server has answered for ", std::to_string(waited.count()),
                " s; still asking. Is there one on this network? --", key_prefix,
                "ipv4=ADDRESS/BITS sets a fixed address"});
  patience_ = std::min(patience_ * 2, patience_max);
  dhcp_patience_.arm(loop_.now() + patience_);
}

void Interface::run() {
  report_ipv4();
  for (std::size_t i = 0; i < reported_ipv6_.size(); ++i) report_ipv6(i);
}

void Interface::report_ipv4() {
  const ip4_addr_t now = *netif_ip4_addr(&netif_);
  if (now.addr == reported_ipv4_.addr) return;
  const ip4_addr_t before = std::exchange(reported_ipv4_, now);
  if (ip4_addr_isany_val(now)) {
    log_.warning({name_, ": the address ", text_of(before), " is no longer ours: its lease ended"});
    announcing_.disarm();
    dhcp_patience_.arm(loop_.now() + patience_);
    return;
  }
  const std::uint32_t mask = lwip_ntohl(netif_ip4_netmask(&netif_)->addr);
  std::string text = text_of(now) + "/" + std::to_string(__builtin_popcount(mask));
  if (!ip4_addr_isany(netif_ip4_gw(&netif_))) {
    text += ", gateway " + text_of(*netif_ip4_gw(&netif_));
  }
  const bool is_leased = dhcp_supplied_address(&netif_) != 0;
  log_.info({name_, ": ", text, is_leased ? " (DHCP)" : ""});
  dhcp_patience_.disarm();
  patience_ = first_patience;
  got_ipv4_ = loop_.now();
  announcements_left_ = announcements;
  announce();
}

// Whoever has the address too answers the probe; everyone else hears whose it is (RFC 5227 section
// 2). A host whose link has just come up may miss both, or lose its answer: so it is said again.
void Interface::announce() {
  globals_.enter();
  etharp_acd_probe(&netif_, netif_ip4_addr(&netif_));
  etharp_gratuitous(&netif_);
  if (--announcements_left_ > 0) announcing_.arm(loop_.now() + announcement_interval);
}

void Interface::report_ipv6(std::size_t index) {
  const auto i = static_cast<s8_t>(index);
  const std::uint8_t state = netif_ip6_addr_state(&netif_, i);
  const std::uint8_t before = std::exchange(reported_ipv6_[index], state);
  if (state == before) return;
  const std::string text = text_of(*netif_ip6_addr(&netif_, i));
  if (ip6_addr_isduplicated(state)) {
    log_.error({name_, ": another host has the address ", text,
                " too: it is not used. Give this one another, or another MAC"});
  } else if (ip6_addr_isvalid(state) && !ip6_addr_isvalid(before)) {
    log_.info({name_, ": ", text, "/64"});
  } else if (ip6_addr_isinvalid(state) && ip6_addr_isvalid(before)) {
    log_.warning({name_, ": the address ", text, " is no longer ours: its lifetime ended"});
  }
}

void Interface::see_arp(base::Bytes frame) {
  // RFC 826: after the 14 bytes of Ethernet, 8 of types; then the sender's MAC and IPv4 address.
  constexpr std::size_t sender_mac = 22;
  constexpr std::size_t sender_ip = 28;
  if (frame.size() < 42 || !has_ipv4()) return;
  const bool is_ours = std::memcmp(frame.data() + sender_ip, netif_ip4_addr(&netif_), 4) == 0;
  if (!is_ours || std::memcmp(frame.data() + sender_mac, mac_.data(), mac_.size()) == 0) return;
  const bool is_repeated = has_logged_conflict_ && loop_.now() - conflict_logged_ < conflict_quiet;
  const std::string mac = mac_text(frame.subspan(sender_mac, 6));
  // At once when it is new (RFC 2131 section 3.1.5), later when once was not enough (RFC 5227
  // section 2.4, b).
  if (dhcp_supplied_address(&netif_) != 0 &&
      (is_repeated || loop_.now() - got_ipv4_ < conflict_quiet)) {
    decline(mac);
    return;
  }
  if (is_repeated) return;
  has_logged_conflict_ = true;
  conflict_logged_ = loop_.now();
  log_.error({name_, ": another host, with the MAC ", mac, ", has the address ",
              text_of(*netif_ip4_addr(&netif_)),
              " too: connections will fail until one of the two has another"});
  etharp_gratuitous(&netif_);  // at most one in `conflict_quiet` (RFC 5227 section 2.4)
}

void Interface::decline(const std::string& mac) {
  using std::chrono::duration_cast;
  const auto wait = duration_cast<std::chrono::seconds>(decline_wait).count();
  log_.error({name_, ": another host, with the MAC ", mac, ", has the address ",
              text_of(*netif_ip4_addr(&netif_)),
              " that the DHCP server gave to this one: it is declined, and another asked for in ",
              std::to_string(wait), " s"});
  has_logged_conflict_ = false;
  reported_ipv4_ = {};  // said already
  announcing_.disarm();
  decline_lease(netif_);
  started_ = loop_.now() + decline_wait;
  dhcp_patience_.arm(started_ + patience_);
}

}  // namespace net::lwip
