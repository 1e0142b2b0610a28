// SPDX-License-Identifier: ISC
// targets/unix/service.hpp: this process as a service: the sockets that its manager hands over, and
// what the manager is told.
//
// States:  HandedSocket, Service.   Used by: targets/unix/platform.cpp.
// Source:  sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3): the protocols of systemd, which
//          other managers speak too. The notifications are a few lines of text in a datagram, so
//          libsystemd is not needed.
// Names:   a socket's name says what is served on it (FileDescriptorName=): http, https or
//          management.
// Sandbox: the socket of notifications is connected at the start; after that only write(2) is used.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"

namespace unix_target {

// A TCP socket that listens already.
struct HandedSocket {
  std::string name;
  std::uint16_t port;
  base::Descriptor socket;  // none: it was taken
};

class Service {
 public:
  using Environment = char* (*)(const char* name);

  // Not a service.
  Service() = default;
  // Reads the environment and takes the descriptors that it names. Throws std::runtime_error for
  // sockets that cannot be served on, or whose names say nothing.
  explicit Service(Environment environment);

  // The ports of the sockets with this name, each as often as there are such sockets.
  [[nodiscard]] std::vector<std::uint16_t> ports_of(std::string_view name) const;
  // A descriptor of a socket on this port, the caller's from now on; negative: there is none left.
  [[nodiscard]] int take(std::uint16_t port) noexcept;
  // The name of a socket that was not taken; empty: there is none.
  [[nodiscard]] std::string_view untaken() const noexcept;

  // "READY=1" and the like, each in a line of its own. Never waits; without a manager it does
  // nothing.
  void tell(std::string_view state) const noexcept;
  // How often the manager wants to be told "WATCHDOG=1", with some to spare; empty: it does not.
  [[nodiscard]] std::optional<base::Duration> watchdog_interval() const noexcept {
    return watchdog_interval_;
  }

 private:
  void take_sockets(Environment environment);
  void connect_to(std::string_view address);

  std::vector<HandedSocket> sockets_;
  base::Descriptor notifications_;
  std::optional<base::Duration> watchdog_interval_;
};

}  // namespace unix_target
