// SPDX-License-Identifier: ISC
// tls/client.hpp: TLS to servers, over any stack that opens connections.
//
// States:   ClientOptions, Client.   Used by: configurations; http/client never hears of it.
// Models:   Client::Named is a net::ClientStack: it connects to one host, whose name the server's
//           certificate must have. (A stack's connect takes an address only, so the name is given
//           before: `client.to("ca.example")`.)
// Owns:     what its flows share (tls/connection.hpp). A client outlives its flows.
// Bounds:   connections_max connections at once, about 45 KiB each in the handshake and 1 KiB when
//           it is open; a server may send 64 KiB in the handshake, in the time that is allowed.
// Errors:   net::Error says little, so problem() of a Named has the reason of its last failure,
//           with a sentence. A clock that is not set is one: no certificate can be checked then.
// May include: base, net/{flow,stack,endpoint}.hpp.

#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/loop.hpp"
#include "net/flow.hpp"
#include "net/stack.hpp"
#include "tls/client_engine.hpp"
#include "tls/connection.hpp"
#include "tls/flow.hpp"

namespace tls {

// A machine without a clock of its own counts from 1970. A clock was not set if it shows a time
// before this: 2020-01-01 UTC.
inline constexpr std::int64_t clock_set_from_s = 1'577'836'800;

struct ClientOptions {
  std::size_t connections_max = 8;
};

template <net::ClientStack Lower>
class Client {
 public:
  using Flow = SecureFlow<typename Lower::Flow>;

  // `lower` and `loop` outlive the client.
  Client(Lower& lower, base::Loop& loop, std::shared_ptr<const ClientContext> context,
         ClientOptions options = {})
      : lower_(lower), shared_{loop}, context_(std::move(context)), options_(options) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The client as a stack for one host. Refers to the client.
  class Named {
   public:
    using Flow = Client::Flow;

    base::Task<net::Result<Flow>> connect(const net::Endpoint& to, base::Duration within) {
      return connect(*this, to, within);
    }
    [[nodiscard]] const std::string& host() const noexcept { return host_; }
    // Of the last connect that failed.
    [[nodiscard]] const Problem& problem() const noexcept { return problem_; }

   private:
    friend class Client;
    Named(Client& client, std::string_view host) : client_(&client), host_(host) {}
    static base::Task<net::Result<Flow>> connect(Named& self, net::Endpoint to,
                                                 base::Duration within);
    Client* client_;
    std::string host_;
    Problem problem_;
  };
  // `host`: a DNS name or an IP address, without a port.
  [[nodiscard]] Named to(std::string_view host) { return Named(*this, host); }

  // Opens a session with `host` at `to`, all of it `within`. `problem` says why it failed.
  base::Task<net::Result<Flow>> connect(std::string host, net::Endpoint to, base::Duration within,
                                        Problem& problem);

  [[nodiscard]] std::size_t connection_count() const noexcept { return shared_.connection_count; }

 private:
  using LowerFlow = typename Lower::Flow;
  using Connection = tls::Connection<LowerFlow>;

  [[nodiscard]] bool may_connect(const std::string& host, Problem& problem);
  static base::Task<net::Result<void>> shake_hands(Shared& shared, Connection& connection,
                                                   base::Instant deadline);
  static void explain(const std::string& host, net::Error error, bool met_no_tls, Problem& problem);

  Lower& lower_;
  Shared shared_;
  std::shared_ptr<const ClientContext> context_;
  ClientOptions options_;
  std::size_t connecting_count_ = 0;
};

template <net::ClientStack Lower>
base::Task<net::Result<typename Client<Lower>::Flow>> Client<Lower>::Named::connect(
    Named& self, net::Endpoint to, base::Duration within) {
  self.problem_ = {};
  net::Result<Flow> flow = co_await self.client_->connect(self.host_, to, within, self.problem_);
  co_return flow;
}

template <net::ClientStack Lower>
bool Client<Lower>::may_connect(const std::string& host, Problem& problem) {
  if (!is_host(host)) {
    problem = {Refusal::bad_name, "a name to connect to by TLS is no host's name"};
  } else if (shared_.loop.clock().wall_s() < clock_set_from_s) {
    problem = {Refusal::clock_not_set,
               host + ": the clock is not set, so no certificate can be checked"};
  } else if (shared_.connection_count + connecting_count_ >= options_.connections_max) {
    problem = {Refusal::no_memory, host + ": there are " +
                                       std::to_string(options_.connections_max) +
                                       " TLS connections to servers, as many as there may be"};
  } else {
    return true;
  }
  return false;
}

template <net::ClientStack Lower>
base::Task<net::Result<typename Client<Lower>::Flow>> Client<Lower>::connect(std::string host,
                                                                             net::Endpoint to,
                                                                             base::Duration within,
                                                                             Problem& problem) {
  struct Counted {
    explicit Counted(std::size_t& its_count) : count(its_count) { ++count; }
    ~Counted() { --count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::size_t& count;
  };
  problem = {};
  if (!may_connect(host, problem)) co_return base::failure(net::Error::reset);
  const base::Instant deadline = shared_.deadline_of(within);
  std::unique_ptr<Connection> connection;
  {
    const Counted connecting(connecting_count_);
    net::Result<LowerFlow> lower = co_await lower_.connect(to, within);
    if (!lower) {
      explain(host, lower.error(), false, problem);
      problem.why = problem.why == Refusal::cut ? Refusal::not_reached : problem.why;
      co_return base::failure(lower.error());
    }
    auto handshake =
        std::make_unique<ClientHandshake>(context_, host, shared_.loop.clock().wall_s(), problem);
    connection = std::make_unique<Connection>(
        shared_, std::unique_ptr<Handshake>(std::move(handshake)), std::move(*lower));
  }
  net::Result<void> shaken = co_await shake_hands(shared_, *connection, deadline);
  if (!shaken) {
    explain(host, shaken.error(), connection->session.met_no_tls(), problem);
    co_return base::failure(shaken.error());
  }
  co_return Flow(std::move(connection));
}

// Until the session is open.
template <net::ClientStack Lower>
base::Task<net::Result<void>> Client<Lower>::shake_hands(Shared& shared, Connection& connection,
                                                         base::Instant deadline) {
  Session& session = connection.session;
  for (;;) {
    if (session.has_pending()) {
      net::Result<void> sent = co_await connection.send_pending(shared.left_until(deadline));
      if (!sent && session.phase() != Phase::failed) co_return sent;
    }
    if (session.phase() == Phase::failed) co_return base::failure(net::Error::reset);
    if (session.phase() != Phase::handshake) co_return net::Result<void>();
    net::Result<base::Bytes> in =
        co_await connection.lower.read(record_bytes_max, shared.left_until(deadline));
    if (!in) co_return base::failure(in.error());
    connection.keep(session.receive(*in, shared.buffers.scratch()));
  }
}

// What the handshake has not explained by itself.
template <net::ClientStack Lower>
void Client<Lower>::explain(const std::string& host, net::Error error, bool met_no_tls,
                            Problem& problem) {
  if (problem.why != Refusal::none) return;
  if (met_no_tls) {
    problem = {Refusal::no_tls, host + ": the server speaks no TLS on this port"};
  } else if (error == net::Error::timed_out) {
    problem = {Refusal::timed_out, host + ": the server does not answer in time"};
  } else {
    problem = {Refusal::cut, host + ": the connection ended before the TLS session was open"};
  }
}

}  // namespace tls
