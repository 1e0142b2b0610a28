// SPDX-License-Identifier: ISC
// tls/connection.hpp: a Session on the flow that carries it.
//
// States:  Shared, Connection.   Used by: tls/flow.hpp, tls/over.hpp, tls/client.hpp.
// Owns:    Shared: buffers of all connections, one for what was decrypted last and a few for what
//          is being sent. A connection that waits has none.
// May include: base, net/{flow,endpoint}.hpp.

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/loop.hpp"
#include "net/flow.hpp"
#include "tls/buffers.hpp"
#include "tls/session.hpp"

namespace tls {

// What the connections of a stack have in common.
struct Shared {
  base::Loop& loop;
  Buffers buffers = {};
  std::size_t connection_count = 0;

  [[nodiscard]] base::Instant deadline_of(base::Duration within) const {
    return within >= base::never - loop.now() ? base::never : loop.now() + within;
  }
  // At least nothing: a wait that is over fails at once.
  [[nodiscard]] base::Duration left_until(base::Instant deadline) const {
    return std::max(deadline - loop.now(), base::Duration::zero());
  }
};

template <net::Flow Lower>
class Connection {
 public:
  // `end` is what the session is made of. `shared_` outlives it.
  template <class End>
  requires std::constructible_from<Session, End> Connection(Shared& shared, End end, Lower lower_)
      : lower(std::move(lower_)), session(std::move(end)), shared_(shared) {
    ++shared_.connection_count;
  }
  ~Connection() { --shared_.connection_count; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // As the laws of net/flow.hpp say; once the session is open.
  base::Task<net::Result<base::Bytes>> read(std::size_t n, base::Duration within);
  base::Task<net::Result<void>> write(std::span<const net::Piece> pieces, base::Duration stall);
  base::Task<net::Result<void>> shutdown(base::Duration within);

  // What the session has to say by itself.
  base::Task<net::Result<void>> send_pending(base::Duration stall);
  // Sends an alert or the plain 400, and waits a little for the peer to close: closing first, with
  // bytes unread, would make a kernel send a reset that overtakes it.
  base::Task<void> say_why(base::Instant deadline);

  // What came in one read with the end of the handshake; for the first read here.
  void keep(base::Bytes early) { left_.assign(early.begin(), early.end()); }

  Lower lower;
  Session session;

 private:
  base::Bytes give_left(std::size_t n);
  base::Task<void> tell();

  // What the read has to say is on its way below.
  struct Telling {
    explicit Telling(Connection& its_connection) : connection(its_connection) {
      connection.telling_ = true;
    }
    ~Telling() {
      connection.telling_ = false;
      if (connection.told_.waiting) connection.shared_.loop.schedule(connection.told_);
    }
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    Connection& connection;
  };
  // Waits until it is.
  struct Told {
    Connection& connection;
    ~Told() {
      connection.told_.waiting = {};
      connection.told_.unschedule();
    }
    [[nodiscard]] bool await_ready() const noexcept { return !connection.telling_; }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept {
      connection.told_.waiting = waiting;
    }
    void await_resume() const noexcept {}
  };

  Shared& shared_;
  std::vector<std::byte> left_;  // decrypted, not yet read
  std::size_t left_used_ = 0;
  std::optional<net::Error> read_error_;
  bool writing_ = false;
  bool telling_ = false;
  base::Resumption told_;
  bool write_over_ = false;  // after shutdown or a failed write
  bool end_said_ = false;
};

template <net::Flow Lower>
base::Task<void> Connection<Lower>::say_why(base::Instant deadline) {
  constexpr int reads_max = 16;
  const base::Instant until =
      std::min(deadline, shared_.loop.now() + base::Duration(std::chrono::seconds(1)));
  net::Result<void> sent = co_await send_pending(shared_.left_until(until));
  if (!sent) co_return;
  net::Result<void> shut = co_await lower.shutdown(shared_.left_until(until));
  if (!shut) co_return;
  for (int i = 0; i < reads_max; ++i) {
    net::Result<base::Bytes> rest =
        co_await lower.read(record_bytes_max, shared_.left_until(until));
    if (!rest) co_return;
  }
}

template <net::Flow Lower>
base::Task<net::Result<void>> Connection<Lower>::send_pending(base::Duration stall) {
  const std::vector<std::byte> bytes = session.take_pending();
  if (bytes.empty()) co_return net::Result<void>();
  const std::array pieces{net::Piece{bytes}};
  net::Result<void> sent = co_await lower.write(std::span<const net::Piece>(pieces), stall);
  co_return sent;
}

template <net::Flow Lower>
base::Bytes Connection<Lower>::give_left(std::size_t n) {
  const base::Bytes left = base::Bytes(left_).subspan(left_used_);
  const base::Bytes given = left.first(std::min(n, left.size()));
  left_used_ += given.size();
  if (given.size() != left.size()) return given;
  // The last of it: it must outlive its room, which an idle flow does not keep.
  const base::MutableBytes scratch = shared_.buffers.scratch();
  std::copy(given.begin(), given.end(), scratch.begin());
  const std::size_t size = given.size();
  std::vector<std::byte>().swap(left_);
  left_used_ = 0;
  return scratch.first(size);
}

template <net::Flow Lower>
base::Task<net::Result<base::Bytes>> Connection<Lower>::read(std::size_t n, base::Duration within) {
  const base::Instant deadline = shared_.deadline_of(within);
  for (;;) {
    if (!left_.empty()) co_return give_left(n);
    if (read_error_) co_return base::failure(*read_error_);

    base::Bytes content = session.receive({}, shared_.buffers.scratch());
    if (content.empty() && session.phase() == Phase::open) {
      net::Result<base::Bytes> in =
          co_await lower.read(record_bytes_max, shared_.left_until(deadline));
      if (!in) {
        // An end without close_notify is a truncation, however orderly it looks below; but once
        // this end has said that it is done, many peers just go.
        const bool cut = in.error() == net::Error::ended && !end_said_;
        const net::Error error = cut ? net::Error::reset : in.error();
        if (error == net::Error::reset || error == net::Error::ended) read_error_ = error;
        co_return base::failure(error);
      }
      content = session.receive(*in, shared_.buffers.scratch());
    }
    if (session.phase() != Phase::open) {
      read_error_ = session.phase() == Phase::ended ? net::Error::ended : net::Error::reset;
    }
    // Content lies where other connections decrypt too, so it is given before anything is sent.
    if (content.empty() && session.phase() != Phase::ended) co_await tell();
    if (content.size() > n) {
      left_.assign(content.begin() + static_cast<std::ptrdiff_t>(n), content.end());
      content = content.first(n);
    }
    if (!content.empty()) co_return content;
  }
}

// Alerts are a courtesy: a peer that does not take them gets none. A write that is under way takes
// them along; one that begins meanwhile waits.
template <net::Flow Lower>
base::Task<void> Connection<Lower>::tell() {
  if (!session.has_pending() || writing_ || write_over_) co_return;
  const Telling telling(*this);
  net::Result<void> sent = co_await send_pending(std::chrono::seconds(1));
  write_over_ = write_over_ || !sent;
}

template <net::Flow Lower>
base::Task<net::Result<void>> Connection<Lower>::write(std::span<const net::Piece> pieces,
                                                       base::Duration stall) {
  Gather gather(pieces);
  co_await Told{*this};
  if (write_over_) co_return base::failure(net::Error::cancelled);
  if (gather.left() == 0) co_return net::Result<void>();
  const Buffers::Sending buffer = shared_.buffers.take(gather.left());
  net::Result<void> sent;
  writing_ = true;
  while (sent && gather.left() != 0) {
    const std::vector<std::byte> pending = session.take_pending();
    std::size_t size = 0;
    if (session.phase() != Phase::failed) {
      while (gather.left() != 0 && buffer.size() - size >= Buffers::record_room) {
        const std::span<const base::Bytes> record = gather.next_record();
        size += session.seal(record, buffer.data() + size);
      }
    }
    const std::array out{net::Piece{pending}, net::Piece{{buffer.data(), size}}};
    sent = co_await lower.write(std::span<const net::Piece>(out), stall);
    if (sent && size == 0) sent = base::failure(net::Error::reset);
  }
  writing_ = false;
  write_over_ = write_over_ || !sent;
  co_return sent;
}

template <net::Flow Lower>
base::Task<net::Result<void>> Connection<Lower>::shutdown(base::Duration within) {
  const base::Instant deadline = shared_.deadline_of(within);
  co_await Told{*this};
  if (std::exchange(write_over_, true)) co_return base::failure(net::Error::cancelled);
  session.close_notify();
  end_said_ = true;
  net::Result<void> sent = co_await send_pending(shared_.left_until(deadline));
  if (!sent) co_return sent;
  net::Result<void> shut = co_await lower.shutdown(shared_.left_until(deadline));
  co_return shut;
}

}  // namespace tls
