// SPDX-License-Identifier: ISC
// tests/net/raw_peer.hpp: plain blocking sockets, to be the peers of the stack under test.

#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tests/net/worlds.hpp"

// A blocking client of 127.0.0.1.
class Raw {
 public:
  explicit Raw(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  }
  Raw(Raw&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Raw() {
    if (fd_ >= 0) ::close(fd_);
  }
  void send(std::string_view text) const {
    REQUIRE(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  std::string receive(std::size_t count) const {
    std::string text(count, '\0');
    ssize_t got = recv(fd_, text.data(), count, MSG_WAITALL);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  void end() const { ::shutdown(fd_, SHUT_WR); }
  // The peer sees a reset.
  void vanish() {
    linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct SocketsTest : ::testing::Test {
  SocketsWorld world;
};

using Flow = net::Sockets::Flow;
using Listener = net::Sockets::Listener;

struct Served {
  Listener listener;
  Raw client;
  Flow flow;
};

// A Raw client and the flow that serves it.
inline Task<Served> serve_one(SocketsWorld& world) {
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  Raw client(listener->port());
  auto flow = co_await listener->accept();
  REQUIRE(flow.has_value());
  co_return Served{std::move(*listener), std::move(client), std::move(*flow)};
}
