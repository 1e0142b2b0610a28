// SPDX-License-Identifier: ISC
#include "tender/tap.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace tender {

namespace {

using base::Descriptor;

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

std::uint16_t mtu_of(const std::string& name) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(name);
  // An interface of another network namespace is not found here: then the usual MTU is right.
  if (socket.get() < 0 || ::ioctl(socket.get(), SIOCGIFMTU, &request) != 0) return 1500;
  return static_cast<std::uint16_t>(request.ifr_mtu);
}

// Frames come whole: what a program that had the tap before asked of the kernel (QEMU does:
// unfinished checksums, uncut segments) stays with the tap and would spoil them.
void refuse_offload(int tap, const std::string& name) {
  if (::ioctl(tap, TUNSETOFFLOAD, 0) != 0) {
    throw std::runtime_error("cannot have whole frames of '" + name + "': " + std::strerror(errno));
  }
}

Tap take_inherited(const std::string& word) {
  int fd = -1;
  const char* const end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data() + 1, end, fd);
  if (error != std::errc{} || stopped != end || fd < 0) {
    throw std::runtime_error("'" + word + "': what follows @ is the number of an open descriptor");
  }
  ifreq request{};
  if (::ioctl(fd, TUNGETIFF, &request) != 0) {
    throw std::runtime_error("'" + word + "' is no open tap: " + std::strerror(errno));
  }
  constexpr unsigned kinds = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if ((static_cast<unsigned>(request.ifr_flags) & kinds) != (IFF_TAP | IFF_NO_PI)) {
    throw std::runtime_error("'" + word + "' was not opened with IFF_TAP and IFF_NO_PI alone");
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    throw std::runtime_error("cannot use '" + word + "': " + std::strerror(errno));
  }
  refuse_offload(fd, word);
  return {Descriptor(fd), mtu_of(request.ifr_name)};
}

}  // namespace

Tap open_tap(const std::string& name) {
  if (name.starts_with('@')) return take_inherited(name);
  const std::string how =
      "; make it: ip tuntap add " + name + " mode tap user NAME && ip link set " + name + " up";
  if (name.empty() || name.size() >= IFNAMSIZ) {
    throw std::runtime_error("'" + name + "' cannot be the name of a tap");
  }
  if (::if_nametoindex(name.c_str()) == 0) {
    throw std::runtime_error("there is no tap '" + name + "'" + how);
  }
  Descriptor file(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) {
    throw std::runtime_error(std::string("cannot open /dev/net/tun: ") + std::strerror(errno) +
                             " (is the kernel's module tun there, may this user open it?)");
  }
  ifreq request = request_for(name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(file.get(), TUNSETIFF, &request) != 0) {
    if (errno == EBUSY) {
      throw std::runtime_error("the tap '" + name + "' is in use: another process has it open");
    }
    if (errno == EPERM || errno == EACCES) {
      throw std::runtime_error("no permission for the tap '" + name + "'" + how);
    }
    throw std::runtime_error("cannot use the tap '" + name + "': " + std::strerror(errno));
  }
  refuse_offload(file.get(), name);
  return {std::move(file), mtu_of(name)};
}

}  // namespace tender
