// SPDX-License-Identifier: ISC
// net/lwip/connection.hpp: one TCP connection of lwIP's, and the calls that wait on it.
//
// States:  Connection: taken (a Flow or a ListeningPcb's queue has it) -> closed -> free in its
//          Pool, when no call waits any more. Its tcp_pcb: set while lwIP may call back; null when
//          the stack has dropped it (reset, timeout) or when nothing is left to be asked of it
//          (both ends have finished: lwIP ends it alone).
// Owns:    what was received and not read (pbufs). Sent bytes are lwIP's until acknowledged:
//          copied, or by reference where a Piece is lasting.
// Rules:   1. lwIP's callbacks only note what happened and schedule the Connection: no coroutine is
//             ever resumed from a frame that lwIP called.
//          2. net/calls.hpp's.
//          3. Queued to send are at most twice what the peer's and the congestion window let out,
//             and TCP_SND_BUF, and of copied bytes less: a client that reads nothing costs a few
//             segments. When memory is short, less still; and less is kept of what came
//             (net/lwip/memory.hpp).

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/loop.hpp"
#include "net/calls.hpp"
#include "net/pieces.hpp"

struct tcp_pcb;
struct pbuf;

namespace net::lwip {

class Pool;
class Connection;
class Clockwork;

class [[nodiscard]] Read final : public Call {
 public:
  Read(Connection& connection, std::size_t bytes_max, base::Duration within) noexcept;
  Result<Bytes> await_resume() const noexcept;

 private:
  bool attempt() noexcept override;

  Connection& connection_;
  std::size_t bytes_max_;
  Bytes bytes_;
};

class [[nodiscard]] Write final : public Call {
 public:
  Write(Connection& connection, std::span<const Piece> pieces, base::Duration stall) noexcept;
  Result<void> await_resume() const noexcept { return outcome(); }

 private:
  bool attempt() noexcept override;

  Connection& connection_;
  PiecesLeft left_;
};

// Waits until the peer has answered a SYN.
class [[nodiscard]] Connected final : public Call {
 public:
  Connected(Connection& connection, base::Duration within) noexcept;
  Result<void> await_resume() const noexcept { return outcome(); }

 private:
  bool attempt() noexcept override;

  Connection& connection_;
};

class Connection final : public base::Work, private Calls {
 public:
  explicit Connection(Pool& pool) noexcept;

  // Sends a SYN. False: nothing can be sent there.
  [[nodiscard]] bool connect(const Endpoint& to) noexcept;
  Result<void> shutdown() noexcept;
  void cancel() noexcept;
  void close() noexcept;
  // close(), and back to the pool when the last waiting call has its answer.
  void release() noexcept;
  [[nodiscard]] const Endpoint& peer() const noexcept { return peer_; }

  // ---- Called by lwIP, by way of the C functions in connection.cpp and port.cpp.
  // Whether there is memory for so many more unread bytes.
  [[nodiscard]] bool may_keep(std::size_t bytes) const noexcept;
  void on_received(pbuf* bytes) noexcept;
  void on_end() noexcept;  // the peer's FIN
  void on_sent() noexcept;
  void on_connected() noexcept;
  void on_gone(Error why) noexcept;  // the pcb has been freed

 private:
  friend class Pool;
  friend class Accept;
  friend class ListeningPcb;
  friend class Read;
  friend class Write;
  friend class Connected;

  void run() override { answer_one(); }
  void put_back() noexcept override;
  void attach(tcp_pcb* pcb) noexcept;
  // From now on lwIP ends the connection alone; a stall of `orphan_stall` ends it too.
  void let_go() noexcept;
  void abort() noexcept;
  void drop_received() noexcept;
  // Frees what earlier reads have given.
  void forget_read() noexcept;
  // How much of a piece may be queued to send; and of the last one that was asked about, how much
  // more, and whether that is enough to try a waiting write again.
  [[nodiscard]] std::size_t room_for(const Piece& piece) noexcept;
  [[nodiscard]] std::size_t send_room() const noexcept;
  [[nodiscard]] bool has_much_room() const noexcept;

  Pool& pool_;
  tcp_pcb* pcb_ = nullptr;
  bool is_connected_ = false;
  bool got_end_ = false;   // the peer's FIN has come; bytes may still be unread
  bool sent_end_ = false;  // shutdown
  std::size_t queued_max_ = 0;
  std::optional<Error> broken_;  // what reads answer once all that came is read
  pbuf* received_ = nullptr;     // a chain; the first from `read_bytes_` on
  std::size_t read_bytes_ = 0;
  Endpoint peer_;
  Connection* next_ = nullptr;  // in the pool's list of free ones, or in a ListeningPcb's queue
};

// The connections of a stack.
class Pool {
 public:
  Pool(base::Loop& loop, Clockwork& clockwork, std::size_t connections_max) noexcept
      : loop_(loop), clockwork_(clockwork), connections_max_(connections_max), retry_(*this) {}
  // Every flow must have gone, with its waiting calls; it is checked.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Null: the maximum is reached, or there is no memory for another.
  Connection* take(tcp_pcb* pcb) noexcept;
  void put(Connection& connection) noexcept;
  [[nodiscard]] std::size_t taken_count() const noexcept { return taken_count_; }
  [[nodiscard]] bool is_full() const noexcept { return taken_count_ >= connections_max_; }
  // There was no memory for anything of a write: nothing is on its way whose acknowledgement would
  // wake it, so all writes are tried again soon.
  void retry_writes_soon() noexcept { retry_.arm(loop_.now() + retry_pause); }

 private:
  friend class Connection;
  friend class Read;
  friend class Write;
  friend class ListeningPcb;
  static constexpr base::Duration retry_pause = std::chrono::milliseconds(20);
  class Retry final : public base::Timer {
   public:
    explicit Retry(Pool& pool) noexcept : Timer(pool.loop_), pool_(pool) {}
    void expired() override;

   private:
    Pool& pool_;
  };

  base::Loop& loop_;
  Clockwork& clockwork_;
  std::size_t connections_max_;
  Retry retry_;
  std::vector<std::unique_ptr<Connection>> connections_;
  Connection* free_ = nullptr;
  std::size_t taken_count_ = 0;
};

}  // namespace net::lwip
