// SPDX-License-Identifier: ISC
// tests/http/socket_peer.hpp: a client's connection to a server at an address: of plain sockets, or
// TLS above them.

#pragma once

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/http/conformance.hpp"

namespace http_test {

// Blocks, but not for ever.
class SocketPeer final : public Peer {
 public:
  SocketPeer(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
      throw std::runtime_error("no such host or port: " + host + " " + port);
    }
    fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd_, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    if (!connected) throw std::runtime_error(std::string("cannot connect: ") + strerror(errno));
    timeval most{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~SocketPeer() override { close(fd_); }
  SocketPeer(const SocketPeer&) = delete;
  SocketPeer& operator=(const SocketPeer&) = delete;

  void send(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      // A server that has refused need not read on: what it answered is read below.
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  bool receive(std::string& into) override {
    char buffer[65536];
    ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) {
      ended_ = got == 0;
      return false;
    }
    into.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  bool is_ended() override {
    char byte;
    ssize_t got = recv(fd_, &byte, 1, MSG_PEEK);
    return ended_ || got == 0;
  }

 private:
  int fd_ = -1;
  bool ended_ = false;
};

// TLS of one version. Each connection resumes the session of the one before, if it was given one;
// in TLS 1.3 the keys are updated before anything is sent after an answer. The stream has ended
// when the server has said so (close_notify), not when the connection below has.
class SecurePeers {
 public:
  virtual ~SecurePeers() = default;
  // Throws std::runtime_error when the handshake fails.
  virtual std::unique_ptr<Peer> make(std::unique_ptr<Peer> below) = 0;
  [[nodiscard]] virtual std::size_t resumed_count() const = 0;
};
// `version`: "1.2" or "1.3"; `protocol`: the one that ALPN offers. Throws std::runtime_error for
// other versions, and when built without TLS.
std::unique_ptr<SecurePeers> make_secure_peers(const std::string& version,
                                               const std::string& protocol = "http/1.1");

}  // namespace http_test
