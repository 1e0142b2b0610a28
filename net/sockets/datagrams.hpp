// SPDX-License-Identifier: ISC
// net/sockets/datagrams.hpp: datagrams to one peer over the kernel's UDP.
//
// Models:  net::Datagrams.   Used by: net/sockets/sockets.hpp.   Source: udp(7).
// Port:    the kernel's choice when the socket is connected, which is random (RFC 6056): nothing
//          has to be bound, which a sealed process may not do. The kernel lets datagrams of the
//          peer through, and no others.

#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "base/descriptor.hpp"
#include "base/descriptors.hpp"
#include "base/loop.hpp"
#include "net/calls.hpp"
#include "net/datagrams.hpp"

namespace net::sockets {

class DatagramSocket;

class [[nodiscard]] ReceiveDatagram final : public Call {
 public:
  ReceiveDatagram(DatagramSocket& socket, base::Duration within) noexcept;
  Result<Bytes> await_resume() const noexcept;

 private:
  bool attempt() noexcept override;

  DatagramSocket& socket_;
  Bytes bytes_;
};

// Frees itself when it is released and no call waits any more.
class DatagramSocket final : public base::Watch, private Calls {
 public:
  DatagramSocket(base::Loop& loop, base::Descriptors& descriptors, base::Descriptor fd) noexcept;
  [[nodiscard]] Result<void> send(Bytes bytes) noexcept;
  void cancel() noexcept { fail_waiting(Error::cancelled); }
  void release() noexcept;

 private:
  friend class ReceiveDatagram;
  ~DatagramSocket() = default;
  void run() override { answer_one(); }
  bool can_wait() noexcept override;
  void put_back() noexcept override { delete this; }

  base::Descriptors& descriptors_;
  base::Descriptor fd_;
  bool is_watched_ = false;
  std::array<std::byte, datagram_bytes_max> buffer_;
};

class Datagrams {
 public:
  static Result<Datagrams> open(base::Loop& loop, base::Descriptors& descriptors,
                                const Endpoint& peer) noexcept;
  Datagrams(Datagrams&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
  Datagrams& operator=(Datagrams&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  ~Datagrams() {
    if (socket_ != nullptr) socket_->release();
  }

  [[nodiscard]] Result<void> send(Bytes bytes) noexcept { return socket_->send(bytes); }
  [[nodiscard]] ReceiveDatagram receive(base::Duration within) noexcept {
    return {*socket_, within};
  }
  void cancel() noexcept { socket_->cancel(); }

 private:
  explicit Datagrams(DatagramSocket& socket) noexcept : socket_(&socket) {}
  DatagramSocket* socket_;  // null: moved from
};

static_assert(net::Datagrams<Datagrams>);

}  // namespace net::sockets
