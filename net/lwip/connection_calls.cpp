// SPDX-License-Identifier: ISC
// net/lwip/connection_calls.cpp: the calls that wait on a Connection: read, write, connected.

#include <algorithm>

#include <lwip/tcp.h>

#include "net/lwip/clockwork.hpp"
#include "net/lwip/connection.hpp"

namespace net::lwip {

namespace {

// One tcp_write takes a 16-bit length.
constexpr std::size_t write_bytes_max = 0xffff;

}  // namespace

// ---- Wait

void Wait::await_suspend(std::coroutine_handle<> waiting) {
  CHECK(connection_->*slot_ == nullptr);
  waiting_ = waiting;
  connection_->*slot_ = this;
  start_deadline();
}

void Wait::start_deadline() noexcept {
  const base::Instant now = connection_->pool_.loop_.now();
  connection_->deadline_of(slot_).arm(within_ < base::never - now ? now + within_ : base::never);
}

// The coroutine is destroyed while it waits.
Wait::~Wait() {
  if (waiting_) connection_->detach(*this);
}

// ---- Read

Read::Read(Connection& connection, std::size_t bytes_max, base::Duration within) noexcept
    : Wait(connection, &Connection::reader_, within), bytes_max_(bytes_max) {
  CHECK(bytes_max > 0);
}

bool Read::attempt() noexcept {
  Connection& connection = *connection_;
  if (connection.read_over_) return fail(*connection.read_over_);
  connection.forget_read();
  if (connection.received_ != nullptr) {
    pbuf& first = *connection.received_;
    const std::size_t count = std::min(bytes_max_, first.len - connection.read_bytes_);
    bytes_ = {static_cast<const std::byte*>(first.payload) + connection.read_bytes_, count};
    connection.read_bytes_ += count;
    if (connection.pcb_ != nullptr) {
      connection.pool_.clockwork_.enter();
      tcp_recved(connection.pcb_, static_cast<u16_t>(count));
    }
    return true;
  }
  if (connection.broken_) connection.read_over_ = connection.broken_;
  if (connection.got_end_) connection.read_over_ = Error::ended;
  return connection.read_over_ && fail(*connection.read_over_);
}

Result<Bytes> Read::await_resume() const noexcept {
  if (error_) return base::failure(*error_);
  return bytes_;
}

// ---- Write

Write::Write(Connection& connection, std::span<const Piece> pieces, base::Duration stall) noexcept
    : Wait(connection, &Connection::writer_, stall), pieces_(pieces) {
  advance(0);
}

// Leaves the first piece that is not empty in front.
void Write::advance(std::size_t bytes) noexcept {
  offset_ += bytes;
  while (!pieces_.empty() && offset_ >= pieces_.front().bytes.size()) {
    offset_ -= pieces_.front().bytes.size();
    pieces_ = pieces_.subspan(1);
  }
}

bool Write::attempt() noexcept {
  Connection& connection = *connection_;
  if (connection.write_over_) return fail(*connection.write_over_);
  if (pieces_.empty()) return true;
  connection.pool_.clockwork_.enter();
  bool moved = false;
  while (!pieces_.empty()) {
    const Piece& piece = pieces_.front();
    const Bytes bytes = piece.bytes.subspan(offset_);
    const std::size_t count = std::min({bytes.size(), connection.room_for(piece), write_bytes_max});
    if (count == 0) break;
    const bool is_last = count == bytes.size() && pieces_.size() == 1;
    const int flags =
        (piece.lasting ? 0 : TCP_WRITE_FLAG_COPY) | (is_last ? 0 : TCP_WRITE_FLAG_MORE);
    const err_t answer = tcp_write(connection.pcb_, bytes.data(), static_cast<u16_t>(count),
                                   static_cast<u8_t>(flags));
    if (answer == ERR_MEM) break;
    if (answer != ERR_OK) {
      connection.write_over_ = Error::reset;
      return fail(Error::reset);
    }
    moved = true;
    advance(count);
  }
  if (moved) tcp_output(connection.pcb_);
  if (pieces_.empty()) return true;
  if (moved && waiting_) start_deadline();
  return false;
}

Result<void> Write::await_resume() const noexcept {
  if (error_) return base::failure(*error_);
  return {};
}

// ---- Connected

Connected::Connected(Connection& connection, base::Duration within) noexcept
    : Wait(connection, &Connection::writer_, within) {}

bool Connected::attempt() noexcept {
  if (connection_->write_over_) return fail(*connection_->write_over_);
  return connection_->is_connected_;
}

Result<void> Connected::await_resume() const noexcept {
  if (error_) return base::failure(*error_);
  return {};
}

}  // namespace net::lwip
