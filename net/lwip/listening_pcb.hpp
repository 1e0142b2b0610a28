// SPDX-License-Identifier: ISC
// net/lwip/listening_pcb.hpp: a port that lwIP listens on, and the accept that waits on it.
//
// Owns:    its tcp_pcb, and the connections that have arrived and were not accepted yet: at most
//          `arrived_max`, above which a newcomer is reset.

#pragma once

#include <coroutine>
#include <cstdint>
#include <string>

#include "base/loop.hpp"
#include "net/lwip/connection.hpp"
#include "net/stack.hpp"

namespace net::lwip {

class Accept;

class ListeningPcb final : public base::Work {
 public:
  static constexpr std::size_t arrived_max = 1024;

  ListeningPcb(base::Loop& loop, Pool& pool) noexcept : loop_(loop), pool_(pool) {}
  ~ListeningPcb();
  // A sentence when the port cannot be had.
  ListenResult<void> open(std::uint16_t port);
  void cancel() noexcept;
  void close() noexcept;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  // Called by lwIP. False: reset it.
  bool on_arrived(tcp_pcb* pcb) noexcept;

 private:
  friend class Accept;
  void run() override;

  base::Loop& loop_;
  Pool& pool_;
  tcp_pcb* pcb_ = nullptr;
  std::uint16_t port_ = 0;
  Connection* first_ = nullptr;  // arrived, in order
  Connection* last_ = nullptr;
  std::size_t arrived_count_ = 0;
  Accept* waiting_ = nullptr;
};

// The awaiter of an accept. The answer is connection(): null when it was cancelled.
class [[nodiscard]] Accept {
 public:
  explicit Accept(ListeningPcb& listening) noexcept : listening_(&listening) {}
  ~Accept();
  Accept(const Accept&) = delete;
  Accept& operator=(const Accept&) = delete;
  bool await_ready() noexcept { return attempt(); }
  void await_suspend(std::coroutine_handle<> waiting) noexcept;
  [[nodiscard]] Connection* connection() const noexcept { return connection_; }

 private:
  friend class ListeningPcb;
  bool attempt() noexcept;

  ListeningPcb* listening_;
  std::coroutine_handle<> waiting_{};
  bool cancelled_ = false;
  Connection* connection_ = nullptr;
};

}  // namespace net::lwip
