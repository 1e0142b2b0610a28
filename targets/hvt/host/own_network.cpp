// SPDX-License-Identifier: ISC
#include "targets/hvt/host/own_network.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include "crunch/failure.hpp"

namespace host::hvt_target {
namespace {

using crunch::Failure;

namespace fs = std::filesystem;

constexpr std::uint32_t first_network = 10U << 24U | 83U << 16U;  // and 255 more
constexpr const char* without_root =
    "; making a network takes root: call crunch with sudo, or make a tap (ip tuntap add tap0 mode "
    "tap user $USER; ip link set tap0 up) and say --net tap0";

[[noreturn]] void refuse(const std::string& what) {
  const int error = errno;
  const bool is_forbidden = error == EPERM || error == EACCES;
  throw Failure("cannot " + what + ": " + std::strerror(error) +
                (is_forbidden ? without_root : ""));
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

// The networks of 256 addresses in which this machine has one.
std::set<std::uint32_t> networks_here() {
  std::set<std::uint32_t> out;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return out;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    sockaddr_in address{};
    std::memcpy(&address, one->ifa_addr, sizeof address);
    out.insert(ntohl(address.sin_addr.s_addr) & ~std::uint32_t{0xff});
  }
  ::freeifaddrs(all);
  return out;
}

// "10.83.0."
std::string free_network() {
  const std::set<std::uint32_t> taken = networks_here();
  std::uint32_t network = first_network;
  while (taken.contains(network)) network += 0x100;
  return "10.83." + std::to_string(network >> 8U & 0xff) + ".";
}

void set_address(int socket, const std::string& name, unsigned long what, const std::string& text) {
  ifreq request = request_for(name);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  std::memcpy(&request.ifr_addr, &address, sizeof address);
  if (::ioctl(socket, what, &request) != 0) refuse("give " + name + " the address " + text);
}

void set_up(int socket, const std::string& name, bool is_up) {
  ifreq request = request_for(name);
  request.ifr_flags = is_up ? IFF_UP : 0;
  if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0 && is_up) refuse("switch " + name + " on");
}

// ---- Bridges that a killed crunch left behind

constexpr std::string_view alias = "made by crunch run --net auto";
constexpr std::string_view tap_prefix = "crunch";
constexpr std::string_view bridge_prefix = "br-crunch";

fs::path about(const std::string& name) { return fs::path("/sys/class/net") / name; }

std::string word_in(const fs::path& path) {
  std::string out;
  std::getline(std::ifstream(path), out);
  return out;
}

bool is_left_behind(const std::string& name) {
  if (!name.starts_with(bridge_prefix)) return false;
  const std::string number = name.substr(bridge_prefix.size());
  const fs::path place = about(name);
  std::error_code error;
  // Of this network namespace, too: /sys may be of another.
  return word_in(place / "ifalias") == alias &&
         word_in(place / "ifindex") == std::to_string(::if_nametoindex(name.c_str())) &&
         fs::is_empty(place / "brif", error) && !error &&
         ::if_nametoindex((std::string(tap_prefix) + number).c_str()) == 0;
}

void remove_bridge(int socket, const std::string& name) {
  set_up(socket, name, false);
  ::ioctl(socket, SIOCBRDELBR, name.c_str());
}

void remove_what_was_left(int socket) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& one : fs::directory_iterator("/sys/class/net", error)) {
    names.push_back(one.path().filename().string());
  }
  for (const std::string& name : names) {
    if (is_left_behind(name)) remove_bridge(socket, name);
  }
}

}  // namespace

OwnNetwork::OwnNetwork()
    : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      tap_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
  if (socket_.get() < 0) refuse("open a socket");
  if (tap_.get() < 0) refuse("open /dev/net/tun");
  remove_what_was_left(socket_.get());
  ifreq request = request_for(std::string(tap_prefix) + "%d");  // the kernel numbers it
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(tap_.get(), TUNSETIFF, &request) != 0) refuse("make a tap");
  make_bridge(request.ifr_name);
}

void OwnNetwork::make_bridge(const std::string& tap) {
  const std::string name = "br-" + tap;
  if (::ioctl(socket_.get(), SIOCBRADDBR, name.c_str()) != 0) refuse("make the bridge " + name);
  bridge_.socket = socket_.get();
  bridge_.index = ::if_nametoindex(name.c_str());
  bridge_.name = name;
  // Without it the bridge is used as well, and stays if this process is killed.
  std::ofstream(about(name) / "ifalias") << alias;
  ifreq request = request_for(name);
  request.ifr_ifindex = static_cast<int>(::if_nametoindex(tap.c_str()));
  if (::ioctl(socket_.get(), SIOCBRADDIF, &request) != 0) refuse("put " + tap + " on " + name);
  network_ = free_network();
  set_address(socket_.get(), name, SIOCSIFADDR, host());
  set_address(socket_.get(), name, SIOCSIFNETMASK, "255.255.255.0");
  set_up(socket_.get(), tap, true);
  set_up(socket_.get(), name, true);
}

OwnNetwork::Bridge::~Bridge() {
  // Another may have removed it already, and made its own of that name.
  if (index != 0 && ::if_nametoindex(name.c_str()) == index) remove_bridge(socket, name);
}

}  // namespace host::hvt_target
