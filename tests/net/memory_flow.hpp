// SPDX-License-Identifier: ISC
// tests/net/memory_flow.hpp: a stack without a network: every connection is two queues of bytes.
//
// Models:  net::Flow, net::Listener, net::Stack.   Used by: tests of whatever sits on a stack.
// Time:    that of the loop, so that deadlines can be simulated.
// Tests:   hold a connection's other end as a MemoryWire: push bytes, take what came, stop taking,
//          end or break the stream; cut reads into small ones; fail the Nth operation.
// Cost:    no allocation for a read or a write once the queues have grown.

#pragma once

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/loop.hpp"
#include "net/flow.hpp"
#include "net/stack.hpp"

namespace net {

// Somebody who waits until `is_settled()`, or for a deadline. Lives in a coroutine's frame.
class MemoryWait : private base::Timer, private base::Work {
 public:
  MemoryWait(const MemoryWait&) = delete;
  MemoryWait& operator=(const MemoryWait&) = delete;
  // Something moved that may settle it.
  void wake() { loop_.schedule(*this); }
  void cancel() {
    cancelled_ = true;
    wake();
  }

 protected:
  MemoryWait(base::Loop& loop, base::Duration within) : Timer(loop), loop_(loop), within_(within) {}
  ~MemoryWait() { stop(); }
  virtual bool is_settled() = 0;

  void start(MemoryWait*& place, std::coroutine_handle<> waiting) {
    CHECK(place == nullptr);
    place_ = &place;
    place = this;
    waiting_ = waiting;
    extend();
  }
  // The deadline starts again.
  void extend() {
    if (place_ != nullptr) arm(loop_.now() + within_);
  }
  bool timed_out_ = false;
  bool cancelled_ = false;

 private:
  void expired() override {
    timed_out_ = true;
    resume();
  }
  void run() override {
    if (cancelled_ || is_settled()) resume();
  }
  void resume() {
    stop();
    waiting_.resume();
  }
  void stop() {
    if (place_ != nullptr) *place_ = nullptr;
    place_ = nullptr;
    disarm();
  }

  base::Loop& loop_;
  base::Duration within_;
  MemoryWait** place_ = nullptr;
  std::coroutine_handle<> waiting_{};
};

// One direction.
struct MemoryPipe {
  std::string bytes;
  std::size_t taken = 0;           // of `bytes`
  std::size_t capacity = 1 << 20;  // a writer waits when so much is not taken
  bool ended = false;              // no more will be written
  bool broken = false;             // reset
  bool is_closed = false;          // nobody will read
  MemoryWait* reader = nullptr;
  MemoryWait* writer = nullptr;

  [[nodiscard]] std::size_t size() const { return bytes.size() - taken; }
  void append(std::string_view text) {
    if (taken == bytes.size()) {
      bytes.clear();
      taken = 0;
    }
    bytes += text;
    if (reader != nullptr) reader->wake();
  }
  void end() {
    ended = true;
    if (reader != nullptr) reader->wake();
  }
  void break_off() {
    broken = true;
    if (reader != nullptr) reader->wake();
    if (writer != nullptr) writer->wake();
  }
  void take(std::size_t count) {
    taken += count;
    if (writer != nullptr && count > 0) writer->wake();
  }
};

// Operations are counted; one of them can be made to fail.
struct MemoryFaults {
  std::uint64_t operations = 0;
  std::uint64_t fail_at = 0;  // 1 is the first; 0: none
  [[nodiscard]] bool fails() { return ++operations == fail_at; }
};

// A connection: pipe 0 goes to the end that accepted, pipe 1 to the one that connected.
struct MemoryWire {
  explicit MemoryWire(base::Loop& its_loop, MemoryFaults& its_faults)
      : loop(its_loop), faults(its_faults) {}
  base::Loop& loop;
  MemoryFaults& faults;
  MemoryPipe pipes[2];
  std::size_t read_bytes_max = 1 << 20;  // the most that one read of the accepted end gives
  std::uint64_t writes = 0;              // by the accepted end
  Endpoint peer = ipv4(192, 0, 2, 1, 1234);
  std::string_view protocol;     // as if ALPN had negotiated it
  std::string_view served_host;  // the only one; empty: every one
  void (*on_read)() = nullptr;   // called when a read of the accepted end gives bytes
  void (*on_write)() = nullptr;  // and when it is asked to write

  // The other end, for a test. What it sends arrives in pipe 0, what it gets is in pipe 1.
  void push(std::string_view text) { pipes[0].append(text); }
  void end() { pipes[0].end(); }
  void break_off() {
    pipes[0].break_off();
    pipes[1].break_off();
  }
  [[nodiscard]] std::string take() {
    MemoryPipe& pipe = pipes[1];
    std::string text = pipe.bytes.substr(pipe.taken);
    pipe.take(text.size());
    return text;
  }
  // The accepted end has said that it writes no more, or has gone.
  [[nodiscard]] bool is_ended() const { return pipes[1].ended || pipes[1].broken; }
  // It has gone with bytes unread: what it sent last may be lost.
  [[nodiscard]] bool is_reset() const { return pipes[1].broken; }
  // The accepted end has gone.
  [[nodiscard]] bool is_closed() const { return pipes[0].is_closed; }
};

class MemoryFlow {
 public:
  // `side` 0 accepted, 1 connected.
  MemoryFlow(std::shared_ptr<MemoryWire> wire, std::size_t side)
      : wire_(std::move(wire)), side_(side) {}
  MemoryFlow(MemoryFlow&& other) noexcept = default;
  MemoryFlow& operator=(MemoryFlow&& other) noexcept {
    close();
    wire_ = std::move(other.wire_);
    side_ = other.side_;
    return *this;
  }
  ~MemoryFlow() { close(); }

  class Read final : public MemoryWait {
   public:
    Read(MemoryFlow& flow, std::size_t n, base::Duration within)
        : MemoryWait(flow.wire_->loop, within), flow_(flow), n_(n) {
      if (flow.wire_->faults.fails()) flow.wire_->break_off();
    }
    [[nodiscard]] bool await_ready() { return is_settled(); }
    void await_suspend(std::coroutine_handle<> waiting) { start(flow_.in().reader, waiting); }
    Result<Bytes> await_resume() {
      MemoryPipe& pipe = flow_.in();
      if (cancelled_) return base::failure(Error::cancelled);
      if (pipe.broken) return base::failure(Error::reset);
      if (pipe.size() == 0) {
        return base::failure(pipe.ended ? Error::ended : Error::timed_out);
      }
      MemoryWire& wire = *flow_.wire_;
      std::size_t most = flow_.side_ == 0 ? wire.read_bytes_max : pipe.size();
      std::size_t count = std::min({pipe.size(), n_, most});
      Bytes bytes = base::bytes_of(std::string_view(pipe.bytes).substr(pipe.taken, count));
      pipe.take(count);
      if (flow_.side_ == 0 && wire.on_read != nullptr) wire.on_read();
      return bytes;
    }

   private:
    bool is_settled() override {
      const MemoryPipe& pipe = flow_.in();
      return pipe.size() > 0 || pipe.ended || pipe.broken;
    }
    MemoryFlow& flow_;
    std::size_t n_;
  };

  class Write final : public MemoryWait {
   public:
    Write(MemoryFlow& flow, std::span<const Piece> pieces, base::Duration stall)
        : MemoryWait(flow.wire_->loop, stall), flow_(flow), pieces_(pieces) {
      MemoryWire& wire = *flow.wire_;
      if (flow.side_ == 0 && wire.on_write != nullptr) wire.on_write();
      if (wire.faults.fails()) wire.break_off();
      if (flow.side_ == 0) ++wire.writes;
    }
    [[nodiscard]] bool await_ready() { return is_settled(); }
    void await_suspend(std::coroutine_handle<> waiting) { start(flow_.out().writer, waiting); }
    Result<void> await_resume() {
      MemoryPipe& pipe = flow_.out();
      if (cancelled_) return base::failure(Error::cancelled);
      if (pipe.broken || (pipe.ended && !pieces_.empty())) return base::failure(Error::reset);
      if (timed_out_) return base::failure(Error::timed_out);
      return {};
    }

   private:
    // Moves what there is room for.
    bool is_settled() override {
      MemoryPipe& pipe = flow_.out();
      while (!pieces_.empty() && !pipe.broken && !pipe.ended) {
        std::string_view rest = base::text_of(pieces_.front().bytes).substr(done_);
        std::size_t room = pipe.capacity - std::min(pipe.capacity, pipe.size());
        std::size_t count = std::min(rest.size(), room);
        if (count > 0) {
          pipe.append(rest.substr(0, count));
          extend();
        }
        done_ += count;
        if (count < rest.size()) return false;
        pieces_ = pieces_.subspan(1);
        done_ = 0;
      }
      return true;
    }
    MemoryFlow& flow_;
    std::span<const Piece> pieces_;
    std::size_t done_ = 0;
  };

  [[nodiscard]] Read read(std::size_t n, base::Duration within) { return {*this, n, within}; }
  [[nodiscard]] Write write(std::span<const Piece> pieces, base::Duration stall) {
    return {*this, pieces, stall};
  }
  base::Ready<Result<void>> shutdown(base::Duration) {
    if (wire_->faults.fails()) wire_->break_off();
    if (out().broken || in().is_closed) return {base::failure(Error::reset)};
    out().end();
    return {Result<void>{}};
  }
  void cancel() {
    if (in().reader != nullptr) in().reader->cancel();
    if (out().writer != nullptr) out().writer->cancel();
  }
  void close() {
    if (wire_ == nullptr || in().is_closed) return;
    cancel();
    in().is_closed = true;
    if (in().size() > 0) out().broken = true;  // bytes unread: a reset, as TCP makes it
    out().end();
    in().break_off();
  }
  [[nodiscard]] Endpoint peer() const { return wire_->peer; }
  [[nodiscard]] std::string_view protocol() const { return wire_->protocol; }
  [[nodiscard]] bool serves(std::string_view host) const {
    return wire_->served_host.empty() || wire_->served_host == host;
  }

 private:
  [[nodiscard]] MemoryPipe& in() const { return wire_->pipes[side_]; }
  [[nodiscard]] MemoryPipe& out() const { return wire_->pipes[1 - side_]; }

  std::shared_ptr<MemoryWire> wire_;
  std::size_t side_;
};
static_assert(Flow<MemoryFlow>);

// Connections to one port that were not accepted yet.
struct MemoryPort {
  std::deque<std::shared_ptr<MemoryWire>> arrived;
  MemoryWait* accepting = nullptr;
  bool is_closed = false;
};

class MemoryListener {
 public:
  using Flow = MemoryFlow;
  MemoryListener(base::Loop& loop, std::uint16_t port, std::shared_ptr<MemoryPort> state)
      : loop_(&loop), number_(port), state_(std::move(state)) {}

  class Accept final : public MemoryWait {
   public:
    explicit Accept(MemoryListener& listener)
        : MemoryWait(*listener.loop_, std::chrono::hours(24 * 365)), port_(*listener.state_) {}
    [[nodiscard]] bool await_ready() { return is_settled(); }
    void await_suspend(std::coroutine_handle<> waiting) { start(port_.accepting, waiting); }
    Result<MemoryFlow> await_resume() {
      if (cancelled_ || port_.arrived.empty()) return base::failure(Error::cancelled);
      std::shared_ptr<MemoryWire> wire = std::move(port_.arrived.front());
      port_.arrived.pop_front();
      return MemoryFlow(std::move(wire), 0);
    }

   private:
    bool is_settled() override { return !port_.arrived.empty() || port_.is_closed; }
    MemoryPort& port_;
  };

  [[nodiscard]] Accept accept() { return Accept(*this); }
  [[nodiscard]] std::uint16_t port() const { return number_; }
  void cancel() {
    if (state_->accepting != nullptr) state_->accepting->cancel();
  }
  void close() {
    cancel();
    state_->is_closed = true;
    state_->arrived.clear();
  }

 private:
  base::Loop* loop_;
  std::uint16_t number_;
  std::shared_ptr<MemoryPort> state_;
};
static_assert(Listener<MemoryListener>);

class MemoryStack {
 public:
  using Flow = MemoryFlow;
  using Listener = MemoryListener;
  explicit MemoryStack(base::Loop& loop) : loop_(loop) {}

  ListenResult<Listener> listen(std::uint16_t port) {
    if (port == 0) port = next_port_++;
    std::weak_ptr<MemoryPort>& place = ports_[port];
    std::shared_ptr<MemoryPort> other = place.lock();
    if (other != nullptr && !other->is_closed) {
      return base::failure("port " + std::to_string(port) + " is taken: choose another");
    }
    auto state = std::make_shared<MemoryPort>();
    place = state;
    return Listener(loop_, port, std::move(state));
  }
  base::Ready<Result<Flow>> connect(const Endpoint& to, base::Duration) {
    std::shared_ptr<MemoryWire> wire = dial(to.port);
    if (wire == nullptr) return {base::failure(Error::reset)};
    return {Flow(std::move(wire), 1)};
  }
  // A connection whose other end the test is. Null: nobody listens.
  std::shared_ptr<MemoryWire> dial(std::uint16_t number) {
    std::shared_ptr<MemoryPort> port = ports_[number].lock();
    if (port == nullptr || port->is_closed) return nullptr;
    auto wire = std::make_shared<MemoryWire>(loop_, faults);
    port->arrived.push_back(wire);
    if (port->accepting != nullptr) port->accepting->wake();
    return wire;
  }

  MemoryFaults faults;

 private:
  base::Loop& loop_;
  std::uint16_t next_port_ = 1024;
  std::map<std::uint16_t, std::weak_ptr<MemoryPort>> ports_;
};
static_assert(Stack<MemoryStack>);

}  // namespace net
