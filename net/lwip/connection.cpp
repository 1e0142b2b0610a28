// SPDX-License-Identifier: ISC
#include "net/lwip/connection.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "net/lwip/clockwork.hpp"
#include "net/lwip/engine.hpp"
#include "net/lwip/ip.hpp"
#include "net/lwip/memory.hpp"
#include "net/lwip/sender.hpp"

namespace net::lwip {

namespace {

// Of copied bytes (what TLS makes, heads) at most so many are queued to send.
constexpr std::size_t copied_bytes_max = std::size_t{512} * 1024;
static_assert(copied_bytes_max <= TCP_SND_BUF);

// A client may send a byte in each segment. From so many pieces on, what came is put together.
constexpr unsigned pieces_max = 64;

// For how long a connection that its owner has left may acknowledge nothing; in slow ticks, which
// lwIP counts in 8 bits.
constexpr u8_t orphan_stall = 20'000 / TCP_SLOW_INTERVAL;
static_assert(20'000 / TCP_SLOW_INTERVAL <= 255);

Connection& connection_of(void* argument) { return *static_cast<Connection*>(argument); }

err_t received(void* argument, tcp_pcb*, pbuf* bytes, err_t) {
  if (bytes == nullptr) {
    connection_of(argument).on_end();
  } else {
    connection_of(argument).on_received(bytes);
  }
  return ERR_OK;
}

err_t sent(void* argument, tcp_pcb*, u16_t) {
  connection_of(argument).on_sent();
  return ERR_OK;
}

err_t connected(void* argument, tcp_pcb*, err_t) {
  connection_of(argument).on_connected();
  return ERR_OK;
}

void gone(void* argument, err_t why) {
  if (argument != nullptr) {
    connection_of(argument).on_gone(why == ERR_ABRT ? Error::timed_out : Error::reset);
  }
}

err_t orphan_stalled(void*, tcp_pcb* pcb) {
  tcp_abort(pcb);
  return ERR_ABRT;
}

}  // namespace

// ---- Connection: what lwIP says

Connection::Connection(Pool& pool) noexcept : Calls(pool.loop_, *this), pool_(pool) {}

void Connection::attach(tcp_pcb* pcb) noexcept {
  pcb_ = pcb;
  peer_ = from_lwip(pcb->remote_ip, pcb->remote_port);
  is_connected_ = got_end_ = sent_end_ = false;
  broken_.reset();
  take();
  tcp_arg(pcb, this);
  tcp_recv(pcb, received);
  tcp_sent(pcb, sent);
  tcp_err(pcb, gone);
  tcp_nagle_disable(pcb);
  pcb->keep_idle = 120'000;
  pcb->keep_intvl = 15'000;
  pcb->keep_cnt = 6;
}

bool Connection::connect(const Endpoint& to) noexcept {
  const ip_addr_t address = to_lwip(to);
  peer_ = to;
  Engine& engine = Engine::current();
  if (!Sender::attach(*pcb_, engine.loop, engine.clockwork)) return false;
  if (tcp_connect(pcb_, &address, to.port, connected) != ERR_OK) return false;
  if (engine.connections.add(*pcb_)) return true;
  abort();
  return false;
}

bool Connection::may_keep(std::size_t bytes) const noexcept {
  const std::size_t share = Memory::fair_share();
  const std::size_t unread = received_ != nullptr ? received_->tot_len - read_bytes_ : 0;
  return unread == 0 ? share > 0 : unread + bytes <= share;
}

void Connection::on_received(pbuf* bytes) noexcept {
  // Nobody looks at what was read: the reader has suspended, or this would not run.
  forget_read();
  if (received_ == nullptr) {
    received_ = bytes;
  } else {
    pbuf_remove_header(received_, std::exchange(read_bytes_, 0));
    pbuf_cat(received_, bytes);
    if (pbuf_clen(received_) > pieces_max) received_ = pbuf_coalesce(received_, PBUF_RAW);
  }
  if (read_side_.is_waiting()) wake();
}

void Connection::on_end() noexcept {
  got_end_ = true;
  if (sent_end_) let_go();
  if (read_side_.is_waiting()) wake();
}

void Connection::on_sent() noexcept {
  if (write_side_.is_waiting() && has_much_room()) wake();
}

void Connection::on_connected() noexcept {
  is_connected_ = true;
  if (pcb_ != nullptr) Engine::current().paths.fit(*pcb_);
  if (write_side_.is_waiting()) wake();
}

void Connection::on_gone(Error why) noexcept {
  pcb_ = nullptr;
  if (!broken_) broken_ = why;
  if (!write_over_) write_over_ = why;
  if (read_side_.is_waiting() || write_side_.is_waiting()) wake();
}

// ---- Connection: bounds

std::size_t Connection::room_for(const Piece& piece) noexcept {
  queued_max_ = piece.lasting ? TCP_SND_BUF : copied_bytes_max;
  return send_room();
}

std::size_t Connection::send_room() const noexcept {
  const std::size_t mss = pcb_->mss;
  const Sender* sender = Sender::of(*pcb_);
  const std::size_t window =
      std::min<std::size_t>(sender != nullptr ? sender->window() : mss, pcb_->snd_wnd);
  std::size_t limit = std::min(queued_max_, std::max(2 * window, 16 * mss));
  if (const std::size_t share = Memory::fair_share(); share < limit) {
    // What is sent by reference costs less than a quarter of what it is.
    limit = std::min(limit, std::max(queued_max_ == TCP_SND_BUF ? 4 * share : share, mss));
  }
  const std::size_t queued = TCP_SND_BUF - pcb_->snd_buf;
  if (queued >= limit) return 0;
  const std::size_t room = std::min<std::size_t>(limit - queued, pcb_->snd_buf);
  return room < mss ? room : room - room % mss;  // full segments
}

bool Connection::has_much_room() const noexcept {
  if (pcb_ == nullptr) return true;
  return send_room() >= std::size_t{4} * pcb_->mss || pcb_->snd_queuelen == 0;
}

// ---- Connection: what its owner says

Result<void> Connection::shutdown() noexcept {
  if (write_over_) return base::failure(*write_over_);
  pool_.clockwork_.enter();
  sent_end_ = true;
  write_over_ = Error::cancelled;
  const err_t answer = tcp_shutdown(pcb_, 0, 1);
  if (answer != ERR_OK) return base::failure(Error::reset);
  if (got_end_) let_go();
  return {};
}

void Connection::let_go() noexcept {
  if (pcb_ == nullptr) return;
  tcp_pcb* pcb = std::exchange(pcb_, nullptr);
  tcp_arg(pcb, nullptr);
  // In TIME_WAIT there is nothing more to say.
  if (pcb->state == TIME_WAIT) return;
  tcp_recv(pcb, nullptr);
  tcp_sent(pcb, nullptr);
  tcp_err(pcb, nullptr);
  tcp_poll(pcb, orphan_stalled, orphan_stall);
  Engine::current().orphans.add(*pcb);
}

void Connection::abort() noexcept {
  tcp_pcb* pcb = std::exchange(pcb_, nullptr);
  tcp_arg(pcb, nullptr);
  ConnectionTable::to_front(*pcb);
  tcp_abort(pcb);
}

void Connection::drop_received() noexcept {
  if (received_ != nullptr) pbuf_free(received_);
  received_ = nullptr;
  read_bytes_ = 0;
}

void Connection::forget_read() noexcept {
  while (received_ != nullptr && read_bytes_ >= received_->len) {
    read_bytes_ -= received_->len;
    pbuf* rest = received_->next;
    received_->next = nullptr;  // its reference to the rest is ours now
    pbuf_free(received_);
    received_ = rest;
  }
}

void Connection::cancel() noexcept { fail_waiting(Error::cancelled); }

void Connection::close() noexcept {
  forget_read();
  const bool has_unread = received_ != nullptr;
  drop_received();
  if (pcb_ != nullptr) {
    pool_.clockwork_.enter();
    // A stream that broke in the middle, or that is not read to its end, ends by a reset.
    const bool is_broken = write_over_ && !sent_end_;
    if (is_broken || has_unread || !is_connected_ || pcb_->state < ESTABLISHED) {
      abort();
    } else {
      tcp_pcb* pcb = pcb_;
      let_go();
      ConnectionTable::to_front(*pcb);
      tcp_close(pcb);
    }
  }
  read_over_ = write_over_ = Error::cancelled;
  fail_waiting(Error::cancelled);
}

void Connection::release() noexcept {
  close();
  Calls::release();
}

void Connection::put_back() noexcept { pool_.put(*this); }

// ---- Pool

Pool::~Pool() { CHECK(taken_count_ == 0); }

Connection* Pool::take(tcp_pcb* pcb) noexcept {
  if (is_full()) return nullptr;
  if (free_ == nullptr) {
    try {
      connections_.push_back(std::make_unique<Connection>(*this));
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    free_ = connections_.back().get();
  }
  Connection& connection = *free_;
  free_ = std::exchange(connection.next_, nullptr);
  ++taken_count_;
  connection.attach(pcb);
  return &connection;
}

void Pool::Retry::expired() {
  for (const auto& connection : pool_.connections_) {
    if (connection->write_side_.is_waiting()) connection->wake();
  }
}

void Pool::put(Connection& connection) noexcept {
  connection.unschedule();
  connection.next_ = std::exchange(free_, &connection);
  --taken_count_;
}

}  // namespace net::lwip
