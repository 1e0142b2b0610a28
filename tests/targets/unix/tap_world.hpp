// SPDX-License-Identifier: ISC
// tests/targets/unix/tap_world.hpp: a tap of Linux as a World of tests/net/device_laws_test.cpp.
//
// The wire's far end is a packet socket on the host's side of the tap, in a network namespace in
// which there is nothing else. To make it refuse, what comes from the tap is queued in a shaper
// that lets nothing pass, and the tap is given little to have on its way.
// Source: packet(7), linux/if_tun.h, tc-mirred(8), tc-tbf(8).

#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/epoll.hpp"
#include "targets/unix/tap/tap.hpp"

namespace test {

inline bool runs(const std::string& command) {
  return std::system(("(" + command + ") >/dev/null 2>&1").c_str()) == 0;
}

// `header`: IFF_VNET_HDR, or 0.
template <int header>
class TapWorld {
 public:
  static constexpr bool may_refuse = true;
  static std::string why_not() {
    if (::geteuid() != 0) return "takes root";
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "no /dev/net/tun here";
    if (::unshare(CLONE_NEWNET) != 0) return "no network namespaces here";
    return runs("ip -V") ? "" : "ip is not installed (scripts/deps test)";
  }

  TapWorld() {
    epoll_.serve(loop_);
    fd_ = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    ifreq request{};
    std::copy_n("tap0", 5, request.ifr_name);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | header);
    CHECK(::ioctl(fd_, TUNSETIFF, &request) == 0);
    // Linux has nothing to say there by itself.
    CHECK(runs("echo 1 > /proc/sys/net/ipv6/conf/tap0/disable_ipv6; ip link set tap0 up"));
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(3);  // ETH_P_ALL
    at.sll_ifindex = static_cast<int>(::if_nametoindex("tap0"));
    far_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(3));
    CHECK(::bind(far_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    const auto open = unix_target::open_tap("fd:" + std::to_string(fd_));
    CHECK(open.has_value());
    tap_.emplace(loop_, epoll_, log_, *open);
  }
  ~TapWorld() {
    tap_.reset();  // it closes the tap
    ::close(far_);
  }
  TapWorld(const TapWorld&) = delete;
  TapWorld& operator=(const TapWorld&) = delete;

  unix_target::Tap& device() { return *tap_; }

  void send_from_far(const std::string& frame) {
    CHECK(::send(far_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size()));
  }

  // The device hands a frame to Linux before send returns; so what was sent is there.
  std::vector<std::string> at_far() {
    std::vector<std::string> frames;
    std::string frame(65536, '\0');
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    for (;;) {
      const ssize_t got = ::recvfrom(far_, frame.data(), frame.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) return frames;
      if (from.sll_pkttype == PACKET_OUTGOING) continue;  // its own
      frames.push_back(frame.substr(0, static_cast<std::size_t>(got)));
    }
  }

  void settle() {
    for (int i = 0; i < 3; ++i) loop_.turn(loop_.clock().now());
  }
  template <class Condition>
  bool turns_until(Condition condition) {
    const base::Instant until = loop_.clock().now() + std::chrono::seconds(20);
    while (!condition() && loop_.clock().now() < until) {
      loop_.turn(loop_.clock().now() + std::chrono::milliseconds(10));
    }
    return condition();
  }

  bool refuse() {
    int bytes = 20'000;
    if (::ioctl(fd_, TUNSETSNDBUF, &bytes) != 0 ||
        !runs("ip link add dam type veth peer name behind && ip link set dam up && "
              "ip link set behind up && "
              "tc qdisc add dev dam root tbf rate 8bit burst 2000 limit 10000000 && "
              "tc qdisc add dev tap0 clsact && "
              "tc filter add dev tap0 ingress protocol all u32 match u32 0 0 "
              "action mirred egress redirect dev dam")) {
      return false;
    }
    const std::string frame(1000, 'f');
    const base::Bytes bytes_of_frame = base::bytes_of(frame);
    for (int i = 0; i < 100; ++i) {
      if (!tap_->send({{&bytes_of_frame, 1}}, {})) return true;
    }
    return false;
  }
  void accept_again() { runs("tc qdisc del dev tap0 clsact; ip link del dam"); }

 private:
  unix_target::Console console_{2};
  base::Log log_{console_};
  unix_target::Clock clock_;
  unix_target::Epoll epoll_{clock_};
  base::Loop loop_{clock_, epoll_};
  int fd_ = -1;
  int far_ = -1;
  std::optional<unix_target::Tap> tap_;
};

using TapWithHeader = TapWorld<IFF_VNET_HDR>;
using TapWithoutHeader = TapWorld<0>;

}  // namespace test

#define NET_DEVICE_WORLDS test::TapWithHeader, test::TapWithoutHeader
