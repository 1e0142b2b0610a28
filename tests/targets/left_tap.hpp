// SPDX-License-Identifier: ISC
// tests/targets/left_tap.hpp: a tap as QEMU leaves it: closed, with what QEMU asked of the kernel.

#pragma once

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace test {

// In a network namespace that the process is in from now on.
class LeftTap {
 public:
  static constexpr const char* name = "left0";

  LeftTap() {
    if (::unshare(CLONE_NEWNET) != 0) return;
    const int tap = open(IFF_VNET_HDR);
    is_there_ = tap >= 0 && ::ioctl(tap, TUNSETPERSIST, 1) == 0 &&
                ::ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0;
    ::close(tap);
  }
  // False: the process may not make namespaces or taps.
  [[nodiscard]] bool is_there() const { return is_there_; }

  // A descriptor of it, without a header besides what is said; negative: not to be had.
  [[nodiscard]] static int open(int flags = 0) {
    const int tap = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    ifreq request = about();
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | flags);
    if (tap >= 0 && ::ioctl(tap, TUNSETIFF, &request) != 0) return -1;
    return tap;
  }
  // Whether the host hands over frames with unfinished checksums, and uncut segments.
  [[nodiscard]] static bool has_unfinished() { return ask(ETHTOOL_GTXCSUM); }
  [[nodiscard]] static bool has_uncut() { return ask(ETHTOOL_GTSO); }

 private:
  static ifreq about() {
    ifreq request{};
    std::strcpy(request.ifr_name, name);
    return request;
  }
  static bool ask(std::uint32_t what) {
    ethtool_value value{what, 0};
    ifreq request = about();
    request.ifr_data = reinterpret_cast<char*>(&value);
    const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_told = ::ioctl(any, SIOCETHTOOL, &request) == 0;
    ::close(any);
    return is_told && value.data != 0;
  }

  bool is_there_ = false;
};

}  // namespace test
