// SPDX-License-Identifier: ISC
// net/lwip/connection_calls.cpp: the calls that wait on a Connection: read, write, connected.

#include <algorithm>

#include <lwip/tcp.h>

#include "net/lwip/clockwork.hpp"
#include "net/lwip/connection.hpp"
#include "net/lwip/port/hooks.h"
#include "net/lwip/segments.hpp"
#include "net/lwip/sender.hpp"

namespace net::lwip {

namespace {

// One tcp_write takes a 16-bit length.
constexpr std::size_t write_bytes_max = 0xffff;

err_t queue(tcp_pcb& pcb, Bytes bytes, int flags) {
  const WithoutResent at_the_end(pcb);
  make_room_at_tail(pcb);
  return tcp_write(&pcb, bytes.data(), static_cast<u16_t>(bytes.size()), static_cast<u8_t>(flags));
}

}  // namespace

// ---- Read

Read::Read(Connection& connection, std::size_t bytes_max, base::Duration within) noexcept
    : Call(connection, connection.read_side_, within),
      connection_(connection),
      bytes_max_(bytes_max) {
  CHECK(bytes_max > 0);
}

bool Read::attempt() noexcept {
  if (connection_.read_over_) return fail(*connection_.read_over_);
  connection_.forget_read();
  if (connection_.received_ != nullptr) {
    pbuf& first = *connection_.received_;
    const std::size_t count = std::min(bytes_max_, first.len - connection_.read_bytes_);
    bytes_ = {static_cast<const std::byte*>(first.payload) + connection_.read_bytes_, count};
    connection_.read_bytes_ += count;
    if (connection_.pcb_ != nullptr) {
      connection_.pool_.clockwork_.enter();
      tcp_recved(connection_.pcb_, static_cast<u16_t>(count));
    }
    return true;
  }
  if (connection_.broken_) connection_.read_over_ = connection_.broken_;
  if (connection_.got_end_) connection_.read_over_ = Error::ended;
  return connection_.read_over_ && fail(*connection_.read_over_);
}

Result<Bytes> Read::await_resume() const noexcept {
  return outcome().transform([this] { return bytes_; });
}

// ---- Write

Write::Write(Connection& connection, std::span<const Piece> pieces, base::Duration stall) noexcept
    : Call(connection, connection.write_side_, stall), connection_(connection), left_(pieces) {}

bool Write::attempt() noexcept {
  if (connection_.write_over_) return fail(*connection_.write_over_);
  if (left_.is_empty()) return true;
  connection_.pool_.clockwork_.enter();
  if (Sender* sender = Sender::of(*connection_.pcb_)) sender->before_write();
  bool moved = false;
  while (!left_.is_empty()) {
    const Piece& piece = left_.pieces().front();
    const Bytes bytes = left_.first();
    const std::size_t count =
        std::min({bytes.size(), connection_.room_for(piece), write_bytes_max});
    if (count == 0) break;
    const bool is_last = count == bytes.size() && left_.pieces().size() == 1;
    const int flags =
        (piece.lasting ? 0 : TCP_WRITE_FLAG_COPY) | (is_last ? 0 : TCP_WRITE_FLAG_MORE);
    const err_t answer = queue(*connection_.pcb_, bytes.first(count), flags);
    if (answer == ERR_MEM) break;
    if (answer != ERR_OK) {
      connection_.write_over_ = Error::reset;
      return fail(Error::reset);
    }
    moved = true;
    left_.advance(count);
  }
  if (moved) crunch_lwip_tcp_output(connection_.pcb_);
  if (left_.is_empty()) return true;
  if (moved) extend();
  if (connection_.pcb_->snd_queuelen == 0) connection_.pool_.retry_writes_soon();
  return false;
}

// ---- Connected

Connected::Connected(Connection& connection, base::Duration within) noexcept
    : Call(connection, connection.write_side_, within), connection_(connection) {}

bool Connected::attempt() noexcept {
  if (connection_.write_over_) return fail(*connection_.write_over_);
  return connection_.is_connected_;
}

}  // namespace net::lwip
