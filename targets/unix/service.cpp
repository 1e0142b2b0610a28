// SPDX-License-Identifier: ISC
#include "targets/unix/service.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace unix_target {

namespace {

using base::Descriptor;
using std::string_view;

constexpr int first_handed = 3;  // SD_LISTEN_FDS_START
constexpr int handed_max = 64;
constexpr std::array<string_view, 3> known_names{"http", "https", "management"};

template <class Number>
std::optional<Number> number_of(const char* text) noexcept {
  if (text == nullptr) return std::nullopt;
  Number number{};
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

// Cuts the first of names that are joined by ':'.
string_view next_name(string_view& names) noexcept {
  const string_view name = names.substr(0, names.find(':'));
  names.remove_prefix(std::min(name.size() + 1, names.size()));
  return name;
}

int option_of(int fd, int option) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// 0: it is no TCP socket that listens.
std::uint16_t port_of(int fd) noexcept {
  if (option_of(fd, SO_ACCEPTCONN) != 1 || option_of(fd, SO_TYPE) != SOCK_STREAM) return 0;
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(bound).sin_port);
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  return 0;
}

}  // namespace

Service::Service(Environment environment) {
  take_sockets(environment);
  if (const char* const address = environment("NOTIFY_SOCKET")) connect_to(address);
  const auto process = number_of<pid_t>(environment("WATCHDOG_PID"));
  if (const auto us = number_of<std::uint64_t>(environment("WATCHDOG_USEC"))) {
    const bool is_ours = environment("WATCHDOG_PID") == nullptr || process == ::getpid();
    // Half of it, as sd_watchdog_enabled(3) advises.
    if (is_ours && *us > 1) watchdog_interval_ = std::chrono::microseconds(*us / 2);
  }
}

void Service::take_sockets(Environment environment) {
  if (number_of<pid_t>(environment("LISTEN_PID")) != ::getpid()) return;
  const int count = number_of<int>(environment("LISTEN_FDS")).value_or(0);
  if (count <= 0) return;
  if (count > handed_max) throw std::runtime_error("LISTEN_FDS names more than 64 sockets");
  const char* const all = environment("LISTEN_FDNAMES");
  string_view names = all != nullptr ? all : "";
  for (int fd = first_handed; fd < first_handed + count; ++fd) {
    Descriptor socket(fd);
    const std::string name(next_name(names));
    if (std::ranges::find(known_names, name) == known_names.end()) {
      throw std::runtime_error("a socket that was handed over (LISTEN_FDS) is named '" + name +
                               "'; FileDescriptorName= is http, https or management");
    }
    const std::uint16_t port = port_of(fd);
    if (port == 0) {
      throw std::runtime_error("the socket " + name +
                               " that was handed over (LISTEN_FDS) is no TCP socket that listens");
    }
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    sockets_.push_back({name, port, std::move(socket)});
  }
}

void Service::connect_to(string_view address) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address.size() < 2 || address.size() >= sizeof to.sun_path) return;
  if (address.front() != '/' && address.front() != '@') return;  // a kind that is not known
  address.copy(to.sun_path, address.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), size) == 0) {
    notifications_ = std::move(socket);
  }
}

std::vector<std::uint16_t> Service::ports_of(string_view name) const {
  std::vector<std::uint16_t> ports;
  for (const HandedSocket& each : sockets_) {
    if (each.name == name) ports.push_back(each.port);
  }
  return ports;
}

int Service::take(std::uint16_t port) noexcept {
  for (HandedSocket& each : sockets_) {
    if (each.port == port && each.socket) return each.socket.release();
  }
  return -1;
}

string_view Service::untaken() const noexcept {
  for (const HandedSocket& each : sockets_) {
    if (each.socket) return each.name;
  }
  return {};
}

void Service::tell(string_view state) const noexcept {
  if (!notifications_) return;
  [[maybe_unused]] const ssize_t put = ::write(notifications_.get(), state.data(), state.size());
}

}  // namespace unix_target
