// SPDX-License-Identifier: ISC
#include "targets/unix/probe.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/descriptor.hpp"
#include "config/management.hpp"

namespace unix_target {

namespace {

using base::Descriptor;
using Clock = std::chrono::steady_clock;
using Address = std::array<std::uint8_t, 16>;

constexpr Address ipv6_loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr Address ipv4_loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};

base::Result<void, std::string> refused(std::string_view what, int why) {
  return base::failure(std::string(what) + ": " + std::strerror(why));
}

bool wait_for(const Descriptor& socket, short event, Clock::time_point until) noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd wait{socket.get(), event, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) {
      if (ready == 0) errno = ETIMEDOUT;
      return false;
    }
  }
}

// 0, or errno. An IPv6 socket reaches mapped addresses; a machine without IPv6 has IPv4 only.
int connect_to(Descriptor& socket, const Address& address, std::uint16_t port,
               Clock::time_point until) noexcept {
  const bool is_ipv4 = std::equal(address.begin(), address.begin() + 12, ipv4_loopback.begin());
  sockaddr_storage to{};
  socklen_t size = 0;
  if (is_ipv4) {
    auto& in = reinterpret_cast<sockaddr_in&>(to);
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.data() + 12, 4);
    size = sizeof in;
  } else {
    auto& in = reinterpret_cast<sockaddr_in6&>(to);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, address.data(), address.size());
    size = sizeof in;
  }
  socket = Descriptor(::socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return errno;
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!wait_for(socket, POLLOUT, until)) return errno;
  int error = 0;
  socklen_t error_size = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
  return error;
}

}  // namespace

base::Result<void, std::string> ask_health(const ProbeTarget& target, int within_ms) {
  const Clock::time_point until = Clock::now() + std::chrono::milliseconds(within_ms);
  Descriptor socket;
  int why = 0;
  if (target.address == Address{}) {
    why = connect_to(socket, ipv4_loopback, target.port, until);
    if (why != 0) why = connect_to(socket, ipv6_loopback, target.port, until);
  } else {
    why = connect_to(socket, target.address, target.port, until);
  }
  const std::string port = "port " + std::to_string(target.port);
  if (why != 0) return refused("the management " + port + " cannot be reached", why);
  constexpr std::string_view request =
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return refused("the management " + port + " takes no request", errno);
  }
  std::string answer;
  while (answer.find('\n') == std::string::npos && answer.size() < 1024) {
    if (!wait_for(socket, POLLIN, until)) return refused(port + " does not answer", errno);
    std::array<char, 512> piece;
    const ssize_t got = ::recv(socket.get(), piece.data(), piece.size(), 0);
    if (got < 0) return refused(port + " does not answer", errno);
    if (got == 0) break;
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  if (answer.starts_with("HTTP/1.1 200 ")) return {};
  answer = answer.substr(0, answer.find_first_of("\r\n"));
  return base::failure(port + (answer.empty() ? " ends without an answer"
                                              : " answers \"" + answer + "\", and not 200"));
}

std::optional<int> take_probe(const config::BootLine& boot) {
  if (!boot.has_key(config::probe.name) || !boot.value(config::probe)) return std::nullopt;
  const auto port = config::management_port_of(boot);
  base::Result<void, std::string> answer;
  if (!port) {
    answer = base::failure(port.error());
  } else if (!port->has_value() || **port == 0) {
    answer = base::failure(
        std::string("there is nothing to ask: say which --management-port the image runs with (or "
                    "CRUNCH_MANAGEMENT_PORT, for both)"));
  } else {
    const config::Address address = boot.value(config::management_address);
    ProbeTarget target{.port = **port};
    if (address.version == 4) {
      target.address[10] = target.address[11] = 0xff;
      std::copy_n(address.bytes.begin(), 4, target.address.begin() + 12);
    } else {
      std::ranges::copy(address.bytes, target.address.begin());
    }
    const bool is_any_ipv4 =
        address.version == 4 && std::all_of(address.bytes.begin(), address.bytes.begin() + 4,
                                            [](std::uint8_t byte) { return byte == 0; });
    if (is_any_ipv4) target.address = {};
    answer = ask_health(target);
  }
  if (answer) return 0;
  std::fprintf(stderr, "error: --probe: %s\n", answer.error().c_str());
  return 1;
}

}  // namespace unix_target
