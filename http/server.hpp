// SPDX-License-Identifier: ISC
// http/server.hpp: the HTTP server, applied to a store and a stack.
//
// States:  Server.   May include: base, kv/{kv,reading}.hpp, net/{flow,stack,endpoint}.hpp, http.
// Shape:   one coroutine for each connection, and another while it is busy, which does what the
//          h1::Framing says; all that can be decided without waiting is decided there. With a
//          store that never waits a request costs no allocation; an idle connection holds the
//          frame of the first one and its flow. Where HTTP/2 was negotiated (Flow::protocol) it has
//          a reader and a writer instead, and its h2::Framing.
// Ends:    after announce_drain() each answer says that it is the last of its connection, and all
//          else is as before. drain() stops listening and ends idle connections at once; answers
//          under way finish, at most Options::drain_within later everything is cut; then run()
//          returns.

#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "http/access_log.hpp"
#include "http/frame_pool.hpp"
#include "http/h1/framing.hpp"
#include "http/h2/framing.hpp"
#include "http/h2/reading_stream.hpp"
#include "http/options.hpp"
#include "kv/kv.hpp"
#include "kv/reading.hpp"
#include "net/flow.hpp"
#include "net/stack.hpp"

namespace http {

template <kv::Source Store, net::ServerStack Stack>
class Server {
 public:
  using Flow = typename Stack::Flow;

  // All must outlive the server. It is to be destroyed only before run() was awaited or after that
  // has returned: its tasks are the loop's.
  // `admission`, `counters`, `http2`: what it shares with other servers; null: it has its own.
  Server(Store& store, Stack& stack, base::Loop& loop, const Options& options, AccessLog& log,
         Admission* admission = nullptr, Counters* counters = nullptr, h2::Budget* http2 = nullptr)
      : store_(store),
        stack_(stack),
        common_(loop, options, log, admission, counters, http2),
        cut_(*this) {}
  ~Server() { CHECK(part_count_ == 0); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // May be called for several ports, before run(). Port 0 asks for a free one; see port().
  [[nodiscard]] net::ListenResult<void> listen(std::uint16_t port);
  // The port that the `index`th listen() got.
  [[nodiscard]] std::uint16_t port(std::size_t index = 0) { return listeners_[index].port(); }

  // Serves until drained. First it takes the plan that the store has for its site; throws a
  // std::runtime_error if that is not whole.
  base::Task<void> run();

  // From the next request on the site has these rules; null: none. For who compiles them itself.
  // Throws std::bad_alloc.
  void use(std::shared_ptr<const site::Rules> rules) { common_.use(std::move(rules)); }

  void announce_drain() noexcept;
  void drain();

  // A port accepts no more, for good (net/stack.hpp, law 1): the server drains by itself then.
  [[nodiscard]] bool has_lost_port() const noexcept { return has_lost_port_; }

  // Whether one more connection may speak HTTP/2, with `others` on their way.
  [[nodiscard]] bool has_room_for_http2(std::size_t others) noexcept {
    return common_.http2().has_room(others);
  }

  // What HTTP/2 takes of its share.
  [[nodiscard]] std::size_t http2_bytes() noexcept { return common_.http2().bytes(); }

  // For what converse() makes.
  [[nodiscard]] FramePool& frames() noexcept { return frames_; }

  [[nodiscard]] std::size_t connection_count() const noexcept { return connection_count_; }

 private:
  // Counts a task among the server's parts, and in `count`, from before it starts until it ends.
  class Counted {
   public:
    Counted(Server& server, std::size_t& count) noexcept : server_(&server), count_(count) {
      ++server_->part_count_;
      ++count_;
    }
    Counted(Counted&& other) noexcept
        : server_(std::exchange(other.server_, nullptr)), count_(other.count_) {}
    Counted& operator=(Counted&&) = delete;
    ~Counted() {
      if (server_ == nullptr) return;
      --count_;
      if (--server_->part_count_ == 0 && server_->ended_.waiting) {
        server_->common_.loop.schedule(server_->ended_);
      }
    }

   private:
    Server* server_;
    std::size_t& count_;
  };

  // A flow, among the others.
  struct Connected {
    Connected(Server& its_server, Flow its_flow)
        : server(its_server), flow(std::move(its_flow)), after(its_server.connections_) {
      if (after != nullptr) after->before = this;
      server.connections_ = this;
    }
    virtual ~Connected() {
      (before != nullptr ? before->after : server.connections_) = after;
      if (after != nullptr) after->before = before;
      if (owns_flow) flow.close();
    }
    Connected(const Connected&) = delete;
    Connected& operator=(const Connected&) = delete;
    // It is to end when nothing is asked any more.
    virtual void drain() noexcept = 0;
    // It is to tell its peer that it ends soon.
    virtual void announce_drain() noexcept = 0;

    Server& server;
    Flow flow;
    bool owns_flow = true;  // false: moved from
    Connected* before = nullptr;
    Connected* after;
  };

  // HTTP/1.1 on a flow.
  struct Connection final : Connected, h1::Framing {
    Connection(Server& its_server, Flow its_flow, Ticket ticket)
        : Connected(its_server, std::move(its_flow)),
          Framing(its_server.common_, its_server.peer_of(Connected::flow), std::move(ticket)) {}

    void give_way() noexcept override {
      evict();
      this->flow.cancel();
    }
    void drain() noexcept override {
      if (is_idle()) give_way();
    }
    void announce_drain() noexcept override {}  // each answer says it
  };

  // HTTP/2 on a flow.
  struct Http2Connection final : Connected, h2::Framing {
    Http2Connection(Server& its_server, Flow its_flow, Ticket ticket)
        : Connected(its_server, std::move(its_flow)),
          Framing(its_server.common_, its_server.peer_of(Connected::flow), std::move(ticket),
                  Store::values_last, sizeof(h2::ReadingStream<Store>)) {}

    void give_way() noexcept override {
      evict();
      cancel();
      changed();
    }
    void drain() noexcept override { Framing::drain(); }
    void announce_drain() noexcept override { Framing::announce_drain(); }
    void changed() noexcept override {
      if (writer.waiting) this->server.common_.loop.schedule(writer);
    }
    h2::Stream* make_stream(std::int32_t id, h2::Allowance& allowance) noexcept override {
      return new (std::nothrow) h2::ReadingStream<Store>(id, allowance);
    }
    kv::Reading<Store>& reading() {
      return static_cast<h2::ReadingStream<Store>&>(stream()).reading(this->server.store_);
    }
    void cancel() noexcept override { this->flow.cancel(); }
    bool serves(std::string_view host) noexcept override { return this->flow.serves(host); }

    base::Resumption writer;  // while it has nothing to do
    base::Resumption reader;  // while it waits for the writer's end
    bool writer_is_there = false;
  };

  // HTTP/2 on a flow, without a ticket.
  struct TurnedAway final : Connected {
    using Connected::Connected;
    void drain() noexcept override { this->flow.cancel(); }
    void announce_drain() noexcept override {}
  };

  // Suspends until the Resumption is scheduled.
  struct Parked {
    base::Resumption& resumption;
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept {
      resumption.waiting = waiting;
    }
    void await_resume() const noexcept {}
  };

  // The writer of a connection, however it ends.
  struct Writing {
    explicit Writing(Http2Connection& its_connection) noexcept : connection(its_connection) {
      connection.writer_is_there = true;
    }
    ~Writing() {
      connection.writer_is_there = false;
      if (!is_done) {
        // Without memory for what it asked of the store or the flow: nobody would answer.
        connection.evict();
        connection.cancel();
      }
      if (connection.reader.waiting) connection.server.common_.loop.schedule(connection.reader);
    }
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    Http2Connection& connection;
    bool is_done = false;
  };

  // Waits until everything that was started has ended.
  struct Ended {
    Server& server;
    [[nodiscard]] bool await_ready() const noexcept { return server.part_count_ == 0; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
      server.ended_.waiting = waiting;
    }
    void await_resume() const noexcept {}
  };

  // Lets the others have the loop first.
  struct Yield {
    base::Loop& loop;
    base::Resumption resumption{};
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
      resumption.waiting = waiting;
      loop.schedule(resumption);
    }
    void await_resume() const noexcept {}
  };

  // The bound of a drain.
  struct Cut final : base::Timer {
    explicit Cut(Server& its_server) : Timer(its_server.common_.loop), server(its_server) {}
    void expired() override {
      server.common_.aborting = true;
      for (Connected* each = server.connections_; each != nullptr; each = each->after) {
        each->flow.cancel();
      }
    }
    Server& server;
  };

  base::Task<void> take_plan();
  base::Task<void> accept_from(typename Stack::Listener& listener, Counted);

  // Without a ticket for it a newcomer is told so. True: another connection gives way to it, and
  // should have the loop before the next one comes.
  bool admit(Flow flow);

  net::Endpoint peer_of(Flow& flow) {
    const bool is_needed = common_.log.is_on() || !common_.options.trusted_proxies.is_empty();
    return is_needed ? net::Endpoint(flow.peer()) : net::Endpoint{};
  }

  // While the connection is idle this is its only frame.
  base::Task<void> serve(Flow flow, Ticket ticket, Counted);
  void go_on_with_http2(Connection& connection);
  // From the first bytes of a request until the connection is idle again or over.
  PooledTask<h1::Next> converse(Connection& connection, h1::Next next);
  // The reader of an HTTP/2 connection, which also owns it. `early`: what has come already.
  base::Task<void> serve_http2(Flow flow, Ticket ticket, std::string early, Counted);
  base::Task<void> write_http2(Http2Connection& connection);
  base::Task<void> turn_away_http2(Flow flow, Counted);

  Store& store_;
  Stack& stack_;
  FramePool frames_;
  Common common_;
  std::vector<typename Stack::Listener> listeners_;
  Connected* connections_ = nullptr;
  std::size_t connection_count_ = 0;
  std::size_t refusal_count_ = 0;
  std::size_t listening_count_ = 0;
  std::size_t part_count_ = 0;  // all three
  bool has_lost_port_ = false;
  base::Resumption ended_;
  Cut cut_;
};

template <kv::Source Store, net::ServerStack Stack>
net::ListenResult<void> Server<Store, Stack>::listen(std::uint16_t port) {
  auto listener = stack_.listen(port);
  if (!listener) return base::failure(std::move(listener.error()));
  listeners_.push_back(std::move(*listener));
  return {};
}

template <kv::Source Store, net::ServerStack Stack>
base::Task<void> Server<Store, Stack>::take_plan() {
  constexpr std::uint64_t all = std::uint64_t{1} << 32U;
  auto plan = co_await store_.get_partial(site::plan_key, kv::Encoding::identity, 0, all);
  if (!plan) {
    if (plan.error() == kv::Error::unavailable) {
      throw std::runtime_error("the site's rules cannot be read");
    }
    co_return;
  }
  std::shared_ptr<const site::Rules> rules =
      site::Rules::open(kv::Bytes(*plan), Store::values_last);
  if (rules == nullptr) {
    throw std::runtime_error("the site's rules are damaged, or of another crunch: build it again");
  }
  common_.use(std::move(rules));
}

template <kv::Source Store, net::ServerStack Stack>
base::Task<void> Server<Store, Stack>::run() {
  if (!common_.options.serves_own_folder) co_await take_plan();
  for (auto& listener : listeners_) {
    Counted counted(*this, listening_count_);
    common_.loop.spawn(accept_from(listener, std::move(counted)));
  }
  co_await Ended{*this};
  cut_.disarm();
}

template <kv::Source Store, net::ServerStack Stack>
void Server<Store, Stack>::announce_drain() noexcept {
  if (std::exchange(common_.is_leaving, true)) return;
  for (Connected* each = connections_; each != nullptr; each = each->after) each->announce_drain();
}

template <kv::Source Store, net::ServerStack Stack>
void Server<Store, Stack>::drain() {
  announce_drain();
  if (std::exchange(common_.draining, true)) return;
  for (auto& listener : listeners_) listener.cancel();
  for (Connected* each = connections_; each != nullptr; each = each->after) each->drain();
  cut_.arm(common_.loop.now() + common_.options.drain_within);
}

template <kv::Source Store, net::ServerStack Stack>
base::Task<void> Server<Store, Stack>::accept_from(typename Stack::Listener& listener, Counted) {
  while (!common_.draining) {
    auto accepted = co_await listener.accept();
    if (!accepted) {
      has_lost_port_ = has_lost_port_ || accepted.error() != net::Error::cancelled;
      break;
    }
    if (admit(std::move(*accepted))) {
      Yield yield{common_.loop};
      co_await yield;
    }
  }
  listener.close();
  if (has_lost_port_) drain();
}

template <kv::Source Store, net::ServerStack Stack>
bool Server<Store, Stack>::admit(Flow flow) {
  bool made_room = false;
  Ticket ticket = common_.admission().admit(flow.peer(), made_room);
  Counters& counters = common_.counters();
  if (!ticket && refusal_count_ >= common_.options.refusals_max) {
    counters.refused(Refusal::dropped);
    return made_room;
  }
  const bool is_admitted = bool(ticket);
  try {
    Counted counted(*this, ticket ? connection_count_ : refusal_count_);
    if (flow.protocol() != h2::protocol) {
      common_.loop.spawn(serve(std::move(flow), std::move(ticket), std::move(counted)));
    } else if (ticket) {
      common_.loop.spawn(serve_http2(std::move(flow), std::move(ticket), {}, std::move(counted)));
    } else {
      common_.loop.spawn(turn_away_http2(std::move(flow), std::move(counted)));
    }
    is_admitted ? counters.connections.add() : counters.refused(Refusal::busy);
  } catch (const std::exception&) {
    // No memory for one more: its flow is closed, the others go on.
    counters.refused(Refusal::memory);
  }
  return made_room;
}

}  // namespace http

#include "http/serving.hpp"
