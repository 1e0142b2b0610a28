// SPDX-License-Identifier: ISC
// tests/tls/world.hpp: TLS over another World, and over kernel sockets, as a World of
// tests/net/worlds.hpp.
//
// tls::Over only serves, so the client's end of a connection is OpenSSL on a flow of the same
// lower stack. Both ends are one type, as the laws want it.

#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "tests/net/worlds.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/client.hpp"
#include "tls/over.hpp"

// A client's flow.
template <net::Flow Lower>
class TlsClientFlow {
 public:
  explicit TlsClientFlow(Lower lower) : state_(std::make_unique<State>(std::move(lower))) {}

  Task<net::Result<void>> shake_hands() {
    std::string out = state_->client.step({});
    while (!state_->client.is_open()) {
      net::Result<void> sent = co_await send_lower(*state_, out, long_time);
      if (!sent) co_return sent;
      net::Result<base::Bytes> in = co_await state_->lower.read(65536, long_time);
      if (!in) co_return base::failure(in.error());
      out = state_->client.step(base::text_of(*in));
      if (state_->client.has_failed()) co_return base::failure(net::Error::reset);
    }
    net::Result<void> sent = co_await send_lower(*state_, out, long_time);
    co_return sent;
  }

  Task<net::Result<base::Bytes>> read(std::size_t n, base::Duration within) {
    return read(*state_, n, within);
  }
  Task<net::Result<void>> write(std::span<const net::Piece> pieces, base::Duration stall) {
    return write(*state_, pieces, stall);
  }
  Task<net::Result<void>> shutdown(base::Duration within) { return shutdown(*state_, within); }
  void cancel() { state_->lower.cancel(); }
  void close() {
    state_->closed = true;
    state_->lower.close();
  }
  net::Endpoint peer() { return state_->lower.peer(); }
  std::string_view protocol() { return state_->client.alpn() == "h2" ? "h2" : ""; }
  bool serves(std::string_view) { return true; }

 private:
  struct State {
    explicit State(Lower lower_) : lower(std::move(lower_)), client({}) {}
    Lower lower;
    test_client::Client client;
    std::string given;
    bool write_over = false;
    bool closed = false;
    bool cut = false;
  };

  static Task<net::Result<void>> send_lower(State& state, const std::string& bytes,
                                            base::Duration stall) {
    const std::array pieces{net::Piece{bytes_of(bytes)}};
    net::Result<void> sent = co_await state.lower.write(std::span<const net::Piece>(pieces), stall);
    co_return sent;
  }

  static Task<net::Result<base::Bytes>> read(State& state, std::size_t n, base::Duration within) {
    for (;;) {
      std::string& received = state.client.received;
      if (!received.empty()) {
        state.given = received.substr(0, n);
        received.erase(0, state.given.size());
        co_return bytes_of(state.given);
      }
      if (state.client.was_told_end()) co_return base::failure(net::Error::ended);
      if (state.cut) co_return base::failure(net::Error::reset);
      net::Result<base::Bytes> in = co_await state.lower.read(65536, within);
      if (!in && (in.error() == net::Error::ended || in.error() == net::Error::reset)) {
        state.cut = true;
        continue;
      }
      if (!in) co_return base::failure(in.error());
      state.client.step(base::text_of(*in));
    }
  }

  static Task<net::Result<void>> write(State& state, std::span<const net::Piece> pieces,
                                       base::Duration stall) {
    if (state.write_over || state.closed) co_return base::failure(net::Error::cancelled);
    for (const net::Piece& piece : pieces) {
      base::Bytes left = piece.bytes;
      while (!left.empty()) {
        const base::Bytes part = left.first(std::min<std::size_t>(left.size(), 65536));
        left = left.subspan(part.size());
        state.client.write(base::text_of(part));
        const std::string sealed = state.client.step({});
        net::Result<void> sent = co_await send_lower(state, sealed, stall);
        state.write_over = state.write_over || !sent;
        if (!sent) co_return sent;
      }
    }
    co_return net::Result<void>();
  }

  static Task<net::Result<void>> shutdown(State& state, base::Duration within) {
    if (std::exchange(state.write_over, true)) co_return base::failure(net::Error::cancelled);
    state.client.close_notify();
    const std::string sealed = state.client.step({});
    net::Result<void> sent = co_await send_lower(state, sealed, within);
    if (!sent) co_return sent;
    net::Result<void> shut = co_await state.lower.shutdown(within);
    co_return shut;
  }

  std::unique_ptr<State> state_;
};

// Serves by tls::Over, connects by OpenSSL.
template <net::Stack Lower>
class TlsBothEnds {
 public:
  using Over = tls::Over<Lower>;
  using ClientFlow = TlsClientFlow<typename Lower::Flow>;

  class Flow {
   public:
    explicit Flow(typename Over::Flow flow) : flow_(std::move(flow)) {}
    explicit Flow(ClientFlow flow) : flow_(std::move(flow)) {}
    Task<net::Result<base::Bytes>> read(std::size_t n, base::Duration within) {
      return std::visit([&](auto& flow) { return flow.read(n, within); }, flow_);
    }
    Task<net::Result<void>> write(std::span<const net::Piece> pieces, base::Duration stall) {
      return std::visit([&](auto& flow) { return flow.write(pieces, stall); }, flow_);
    }
    Task<net::Result<void>> shutdown(base::Duration within) {
      return std::visit([&](auto& flow) { return flow.shutdown(within); }, flow_);
    }
    void cancel() {
      std::visit([](auto& flow) { flow.cancel(); }, flow_);
    }
    void close() {
      std::visit([](auto& flow) { flow.close(); }, flow_);
    }
    net::Endpoint peer() {
      return std::visit([](auto& flow) { return flow.peer(); }, flow_);
    }
    std::string_view protocol() {
      return std::visit([](auto& flow) { return flow.protocol(); }, flow_);
    }
    bool serves(std::string_view host) {
      return std::visit([host](auto& flow) { return flow.serves(host); }, flow_);
    }

   private:
    std::variant<typename Over::Flow, ClientFlow> flow_;
  };

  class Listener {
   public:
    using Flow = TlsBothEnds::Flow;
    explicit Listener(typename Over::Listener listener) : listener_(std::move(listener)) {}
    Task<net::Result<Flow>> accept() { return accept(listener_); }
    std::uint16_t port() { return listener_.port(); }
    void cancel() { listener_.cancel(); }
    void close() { listener_.close(); }

   private:
    static Task<net::Result<Flow>> accept(typename Over::Listener& listener) {
      net::Result<typename Over::Flow> flow = co_await listener.accept();
      if (!flow) co_return base::failure(flow.error());
      co_return Flow(std::move(*flow));
    }
    typename Over::Listener listener_;
  };

  TlsBothEnds(Lower& lower, base::Loop& loop, std::shared_ptr<const tls::Context> context)
      : lower_(lower), over_(lower, loop, std::move(context)) {}

  net::ListenResult<Listener> listen(std::uint16_t port) {
    auto listener = over_.listen(port);
    if (!listener) return base::failure(std::move(listener.error()));
    return Listener(std::move(*listener));
  }
  Task<net::Result<Flow>> connect(const net::Endpoint& to, base::Duration within) {
    auto lower = co_await lower_.connect(to, within);
    if (!lower) co_return base::failure(lower.error());
    ClientFlow flow(std::move(*lower));
    net::Result<void> shaken = co_await flow.shake_hands();
    if (!shaken) co_return base::failure(shaken.error());
    co_return Flow(std::move(flow));
  }
  [[nodiscard]] Over& over() { return over_; }

 private:
  Lower& lower_;
  Over over_;
};

// On any World.
template <class Lower>
class TlsWorldOn {
 public:
  using Stack = TlsBothEnds<typename Lower::Stack>;
  TlsWorldOn() : stack_(lower_.stack(), lower_.loop(), context()) {}
  base::Loop& loop() { return lower_.loop(); }
  Stack& stack() { return stack_; }
  Lower& lower() { return lower_; }
  net::Endpoint at(std::uint16_t port) const { return lower_.at(port); }

 private:
  static std::shared_ptr<const tls::Context> context() {
    std::vector<tls::Identity> identities;
    identities.push_back(authority::identity("P-256"));
    return std::make_shared<tls::Context>(std::move(identities), authority::entropy());
  }
  Lower lower_;
  Stack stack_;
};

class TlsWorld : public TlsWorldOn<SocketsWorld> {
 public:
  SocketsWorld& sockets() { return lower(); }
};

static_assert(net::ServerStack<tls::Over<net::Sockets>>);
static_assert(net::Stack<TlsWorld::Stack>);
