// SPDX-License-Identifier: ISC
// net/lwip/udp.hpp: datagrams to one peer over lwIP's UDP.
//
// Models:  net::Datagrams.   Used by: net/lwip/lwip.hpp.
// Port:    random, of those from 1024 on (RFC 6056); lwIP hands on what comes from the peer to it,
//          and answers others with "port unreachable".
// Bounds:  queue_max datagrams wait to be received; those that come then are lost.
// Rule:    lwIP's callback only notes what came: no coroutine is resumed from it.

#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "base/loop.hpp"
#include "net/calls.hpp"
#include "net/datagrams.hpp"

struct udp_pcb;
struct pbuf;

namespace net::lwip {

class Engine;
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
class DatagramSocket final : public base::Work, private Calls {
 public:
  static constexpr std::size_t queue_max = 16;

  DatagramSocket(Engine& engine, udp_pcb& pcb) noexcept;
  [[nodiscard]] Result<void> send(Bytes bytes) noexcept;
  void cancel() noexcept { fail_waiting(Error::cancelled); }
  void release() noexcept;
  // Called by lwIP.
  void on_received(pbuf* datagram) noexcept;

 private:
  friend class ReceiveDatagram;
  ~DatagramSocket() = default;
  void run() override { answer_one(); }
  void put_back() noexcept override { delete this; }

  Engine& engine_;
  udp_pcb* pcb_;
  std::array<pbuf*, queue_max> queue_{};  // a ring
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::array<std::byte, datagram_bytes_max> buffer_;
};

class Datagrams {
 public:
  static Result<Datagrams> open(Engine& engine, const Endpoint& peer) noexcept;
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

}  // namespace net::lwip
