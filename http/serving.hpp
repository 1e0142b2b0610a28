// SPDX-License-Identifier: ISC
// http/serving.hpp: the coroutines of a Server's connections.
//
// States:  what http/server.hpp declares, which includes this at its end.
// HTTP/1.1: one that waits for requests, and while it is busy a second one.
// HTTP/2:   one that reads and owns the connection, and one that writes.
// May include: as http/server.hpp.

#pragma once

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "http/server.hpp"
#include "kv/reading.hpp"

namespace http {

template <kv::Source Store, net::ServerStack Stack>
base::Task<void> Server<Store, Stack>::serve(Flow flow, Ticket ticket, Counted) {
  const bool refused = !ticket;
  Connection connection(*this, std::move(flow), std::move(ticket));
  if (refused) connection.turn_away();
  h1::Next next = connection.next();
  while (next != h1::Next::close) {
    if (next == h1::Next::http2) {
      go_on_with_http2(connection);
      co_return;
    }
    if (connection.is_idle()) {
      auto bytes =
          co_await connection.flow.read(connection.read_bytes_max(), connection.read_within());
      connection.received(bytes);
      next = connection.next();
    } else {
      next = co_await converse(connection, next);
    }
  }
}

template <kv::Source Store, net::ServerStack Stack>
PooledTask<h1::Next> Server<Store, Stack>::converse(Connection& connection, h1::Next next) {
  h1::Framing& framing = connection;
  const base::Duration stall = common_.options.stall_within;
  kv::Reading<Store> reading = kv::begin_reading(store_);
  std::uint64_t reading_for = framing.request_count();
  while (next != h1::Next::close && !framing.is_idle()) {
    switch (next) {
      case h1::Next::read: {
        auto bytes = co_await connection.flow.read(framing.read_bytes_max(), framing.read_within());
        framing.received(bytes);
        break;
      }
      case h1::Next::write: {
        auto written = co_await connection.flow.write(framing.pieces(), stall);
        framing.wrote(written.has_value());
        break;
      }
      case h1::Next::stat: {
        // The head is complete: what the request gets is of one version.
        if (std::exchange(reading_for, framing.request_count()) != framing.request_count()) {
          reading = kv::begin_reading(store_);
        }
        framing.take_stat(co_await kv::stat(store_, reading, framing.exchange().key()));
        break;
      }
      case h1::Next::get: {
        std::uint64_t size = framing.piece_bytes(Store::piece_bytes_max);
        const Exchange& exchange = framing.exchange();
        auto value = co_await kv::get_partial(store_, reading, exchange.key(), exchange.encoding(),
                                              exchange.offset(), size);
        if (!value) {
          framing.value_failed(value.error());
          break;
        }
        if (!framing.take_value(kv::Bytes(*value), size, Store::values_last)) break;
        auto written = co_await connection.flow.write(framing.pieces(), stall);
        framing.wrote(written.has_value());
        break;
      }
      case h1::Next::yield: {
        Yield yield{common_.loop};
        co_await yield;
        break;
      }
      case h1::Next::shutdown: {
        auto done = co_await connection.flow.shutdown(stall);
        framing.did_shut_down(done.has_value());
        break;
      }
      case h1::Next::http2:
        co_return next;
      case h1::Next::close:
        break;
    }
    next = framing.next();
  }
  co_return next;
}

// ---- HTTP/2

template <kv::Source Store, net::ServerStack Stack>
void Server<Store, Stack>::go_on_with_http2(Connection& connection) {
  connection.owns_flow = false;
  Counted counted(*this, connection_count_);
  common_.loop.spawn(serve_http2(std::move(connection.flow), connection.take_ticket(),
                                 connection.take_unread(), std::move(counted)));
}

template <kv::Source Store, net::ServerStack Stack>
base::Task<void> Server<Store, Stack>::serve_http2(Flow flow, Ticket ticket, std::string early,
                                                   Counted) {
  // Its own timer ends it.
  constexpr base::Duration forever = std::chrono::hours(24 * 365);
  Http2Connection connection(*this, std::move(flow), std::move(ticket));
  if (!connection.start()) co_return;
  common_.loop.spawn(write_http2(connection));
  connection.writer_is_there = true;
  if (!early.empty()) connection.received(base::bytes_of(early));
  std::string().swap(early);
  while (connection.wants_bytes()) {
    auto bytes = co_await connection.flow.read(h2::Framing::read_bytes_max, forever);
    connection.received(bytes);
    if (connection.should_yield()) {
      Yield yield{common_.loop};
      co_await yield;
    }
  }
  if (connection.writer_is_there) co_await Parked{connection.reader};
}

template <kv::Source Store, net::ServerStack Stack>
base::Task<void> Server<Store, Stack>::write_http2(Http2Connection& connection) {
  Writing writing(connection);
  const base::Duration stall = common_.options.stall_within;
  h2::Framing& framing = connection;
  for (h2::Next next = framing.next(); next != h2::Next::close; next = framing.next()) {
    switch (next) {
      case h2::Next::wait:
        co_await Parked{connection.writer};
        break;
      case h2::Next::write: {
        auto written = co_await connection.flow.write(framing.pieces(), stall);
        framing.wrote(written.has_value());
        if (framing.should_yield()) {
          Yield yield{common_.loop};
          co_await yield;
        }
        break;
      }
      case h2::Next::stat: {
        auto& reading = connection.reading();
        framing.take_stat(co_await kv::stat(store_, reading, framing.exchange().key()));
        break;
      }
      case h2::Next::get: {
        const std::uint64_t size = framing.piece_bytes(Store::piece_bytes_max);
        const Exchange& exchange = framing.exchange();
        auto& reading = connection.reading();
        auto value = co_await kv::get_partial(store_, reading, exchange.key(), exchange.encoding(),
                                              exchange.offset(), size);
        if (value) {
          framing.take_value(kv::Bytes(*value), size);
        } else {
          framing.value_failed(value.error());
        }
        break;
      }
      case h2::Next::shutdown: {
        auto done = co_await connection.flow.shutdown(stall);
        framing.did_shut_down(done.has_value());
        break;
      }
      case h2::Next::close:
        break;
    }
  }
  writing.is_done = true;
}

// Without a session, which is memory.
template <kv::Source Store, net::ServerStack Stack>
base::Task<void> Server<Store, Stack>::turn_away_http2(Flow flow, Counted) {
  TurnedAway connection(*this, std::move(flow));
  const base::Duration within = common_.options.linger_within;
  const std::array<net::Piece, 1> pieces{net::Piece{base::bytes_of(h2::turned_away), true}};
  if (!co_await connection.flow.write(pieces, within)) co_return;
  if (!co_await connection.flow.shutdown(within)) co_return;
  // What is still on its way is dropped: an end before that would be a reset, and could overtake
  // what was said.
  const base::Instant until = common_.loop.now() + within;
  for (std::uint64_t read = 0; read < common_.options.linger_bytes_max;) {
    const base::Duration left = until - common_.loop.now();
    if (left <= base::Duration::zero()) break;
    auto bytes = co_await connection.flow.read(h2::Framing::read_bytes_max, left);
    if (!bytes) break;
    read += bytes->size();
  }
}

}  // namespace http
