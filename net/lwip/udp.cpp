// SPDX-License-Identifier: ISC
#include "net/lwip/udp.hpp"

#include <algorithm>
#include <new>

#include <lwip/pbuf.h>
#include <lwip/udp.h>

#include "net/lwip/engine.hpp"
#include "net/lwip/ip.hpp"

namespace net::lwip {

namespace {

void received(void* socket, udp_pcb*, pbuf* datagram, const ip_addr_t*, u16_t) {
  static_cast<DatagramSocket*>(socket)->on_received(datagram);
}

// False: of some ports at random all are taken.
bool bind_somewhere(udp_pcb& pcb, Engine& engine) {
  constexpr unsigned first_port = 1024;
  constexpr unsigned port_count = 65'536 - first_port;
  for (int tries_left = 16; tries_left > 0; --tries_left) {
    const auto port = static_cast<u16_t>(first_port + engine.random() % port_count);
    if (udp_bind(&pcb, IP_ANY_TYPE, port) == ERR_OK) return true;
  }
  return false;
}

}  // namespace

ReceiveDatagram::ReceiveDatagram(DatagramSocket& socket, base::Duration within) noexcept
    : Call(socket, socket.read_side_, within), socket_(socket) {}

bool ReceiveDatagram::attempt() noexcept {
  if (socket_.read_over_) return fail(*socket_.read_over_);
  if (socket_.count_ == 0) return false;
  pbuf* const datagram = socket_.queue_.at(socket_.first_);
  socket_.first_ = (socket_.first_ + 1) % DatagramSocket::queue_max;
  --socket_.count_;
  auto& buffer = socket_.buffer_;
  const std::size_t bytes =
      pbuf_copy_partial(datagram, buffer.data(), static_cast<u16_t>(buffer.size()), 0);
  pbuf_free(datagram);
  bytes_ = {buffer.data(), bytes};
  return true;
}

Result<Bytes> ReceiveDatagram::await_resume() const noexcept {
  return outcome().transform([this] { return bytes_; });
}

DatagramSocket::DatagramSocket(Engine& engine, udp_pcb& pcb) noexcept
    : Calls(engine.loop, *this), engine_(engine), pcb_(&pcb) {
  udp_recv(pcb_, received, this);
  Calls::take();
}

void DatagramSocket::on_received(pbuf* datagram) noexcept {
  if (count_ == queue_max) {
    pbuf_free(datagram);
    return;
  }
  queue_.at((first_ + count_++) % queue_max) = datagram;
  wake();
}

Result<void> DatagramSocket::send(Bytes bytes) noexcept {
  engine_.clockwork.enter(true);
  const std::size_t size = std::min(bytes.size(), datagram_bytes_max);
  pbuf* const datagram = pbuf_alloc(PBUF_TRANSPORT, static_cast<u16_t>(size), PBUF_RAM);
  if (datagram == nullptr) return {};  // lost, as on the way
  pbuf_take(datagram, bytes.data(), static_cast<u16_t>(size));
  const err_t sent = udp_send(pcb_, datagram);
  pbuf_free(datagram);
  if (sent == ERR_RTE || sent == ERR_VAL) return base::failure(Error::reset);
  return {};
}

void DatagramSocket::release() noexcept {
  engine_.clockwork.enter_stack();
  udp_remove(std::exchange(pcb_, nullptr));
  for (; count_ > 0; --count_) {
    pbuf_free(queue_.at(first_));
    first_ = (first_ + 1) % queue_max;
  }
  read_over_ = write_over_ = Error::cancelled;
  fail_waiting(Error::cancelled);
  Calls::release();
}

Result<Datagrams> Datagrams::open(Engine& engine, const Endpoint& peer) noexcept {
  engine.clockwork.enter(true);
  udp_pcb* const pcb = udp_new_ip_type(is_ipv4(peer) ? IPADDR_TYPE_V4 : IPADDR_TYPE_V6);
  if (pcb == nullptr) return base::failure(Error::reset);
  const ip_addr_t address = to_lwip(peer);
  DatagramSocket* socket = nullptr;
  if (bind_somewhere(*pcb, engine) && udp_connect(pcb, &address, peer.port) == ERR_OK) {
    socket = new (std::nothrow) DatagramSocket(engine, *pcb);
  }
  if (socket == nullptr) {
    udp_remove(pcb);
    return base::failure(Error::reset);
  }
  return Datagrams(*socket);
}

}  // namespace net::lwip
